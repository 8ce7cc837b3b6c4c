export type Tool = 'dynoxide' | 'kafka' | 'redis-server';
export type Provider = 'kfake' | 'kafka' | 'postgres' | 'dynoxide' | 'mail' | 'card-provider' | 'redis-server';
export const providers: Readonly<Record<string, Provider>>;
export function providersIn(text: string): Provider[];
export function toolFolder(tool: Tool): string;
/** The program `dynoxide` or `redis-server`, the folder of `kafka`; undefined while it is not installed. */
export function findTool(tool: Tool): string | undefined;
export function javaProgram(): string;
