import type { Tool } from './tools-folder.mjs';

/** The tools that the components of a profile ask for. */
export function toolsOf(root: string, profile: string): Tool[];
/** Leaves the tools where `findTool` finds them. */
export function installTools(tools: readonly Tool[]): Promise<void>;
