/** Stands for the compiled kernel where it was not built: unit tests need no build. */
export const base64 = '';
export const implementations: readonly unknown[] = [];
export const messages: readonly string[] = [];
export const globals = (): Record<string, number> => ({});
export const functions = (): Record<string, () => void> => ({});
