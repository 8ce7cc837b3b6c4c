// `groupBy`: dimensions of an answer, in the order that sorts it.
import { z } from 'zod';

/** The query parameter: some of the dimensions, separated by commas, none twice. */
export function groupBy<const D extends string>(dimensions: readonly D[], otherwise: string) {
  const one = `(?:${dimensions.join('|')})`;
  return z
    .string()
    .max(100)
    .regex(new RegExp(`^${one}(?:,${one})*$`), `Some of ${dimensions.join(', ')}, separated by commas`)
    .refine((text) => new Set(text.split(',')).size === text.split(',').length, 'None of them twice')
    .default(otherwise)
    .meta({ description: 'How to group, which is also the order of the answer' });
}
