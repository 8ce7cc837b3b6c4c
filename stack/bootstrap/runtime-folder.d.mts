export const programs: readonly string[];
export function cacheFolder(): string;
export function cachedProgram(root: string, program: string): string;
export function findProgram(root: string, program: string): string | undefined;
