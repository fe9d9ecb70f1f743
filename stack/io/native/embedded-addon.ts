/** The native addon in base64. A bundle that is to be one file for another machine has it in the place of this one (endpoint/bundle/distributable.ts). */
export const embeddedAddon: string | undefined = undefined;
