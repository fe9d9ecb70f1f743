import { html, trusted } from "./html.ts";
import type { Html } from "./html.ts";
import { pageStyle } from "./page-assets.ts";

/** Nothing from elsewhere, by order of the page itself. */
const contentSecurityPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

export async function pageHead(title: string): Promise<Html> {
  return html`<head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${title}</title>
    <style>
      ${trusted(await pageStyle())}
    </style>
  </head>`;
}
