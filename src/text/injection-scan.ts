/** Stub. */
export const readsLikeInstruction = (..._texts: string[]): boolean => false;
