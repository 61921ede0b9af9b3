/**
 * Functions whose plain accesses may race, each with the reason why that is harmless.
 */
export const RACES_ALLOWED: Readonly<Record<string, string>> = {};
