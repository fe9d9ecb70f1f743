import { nothing } from "./nothing.mjs";

export const congestionControl = nothing;
