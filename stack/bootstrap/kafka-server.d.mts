export function classArchive(folder: string): string;
export function serverArgs(folder: string, properties: string, archiving?: string): string[];
export function formatArgs(folder: string, properties: string): string[];
export function serverProperties(options: { port: number; controllerPort: number; logs: string }): string;
