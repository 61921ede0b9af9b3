/** Kinds of entries in a range operation's undo log. */
export const LOG_FILL = 0;
export const LOG_CLEAR = 1;
export const LOG_PROTECT = 2;
export const LOG_PRESENT = 3;
