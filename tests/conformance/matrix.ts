// One run's results as tables: what each component set does, row by row.
import { CELL } from './features/cell.ts';

/** What is read of Jest's `--json`. */
export interface JestReport {
  readonly testResults: readonly {
    readonly message: string;
    readonly name: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

interface Check {
  readonly kind: string;
  readonly column: string;
  readonly section: string;
  readonly row: string;
  readonly cell: string;
}

/** A suite's outermost title: `<kind>: <component set>`, or with the section in a third place. */
const SUITE = /^(state|broker|kit): ([^:]+)(?:: (.+))?$/;

const HEADINGS: Readonly<Record<string, string>> = {
  state: 'State stores behind daprd',
  broker: 'Brokers behind daprd',
  kit: 'The kit on a whole set',
};

/** Markdown tables, one for each kind of set. `columns` says which sets there are, and in which order. */
export function matrix(report: JestReport, columns: Readonly<Record<string, readonly string[]>>): string {
  const checks = checksOf(report);
  return Object.entries(columns)
    .map(([kind, sets]) => tableOf(kind, sets, checks))
    .join('\n\n');
}

/** All tests that belong to a component set. */
function checksOf({ testResults }: JestReport): Check[] {
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ ancestorTitles: [suite = '', ...inner], title, status }) => {
      const [, kind, column, about] = SUITE.exec(suite) ?? [];
      if (kind === undefined || column === undefined || !['passed', 'failed'].includes(status)) return [];
      const [row = '', value = '✓'] = title.split(CELL);
      const section = [about, ...inner].filter(Boolean).join(', ');
      return [{ kind, column, section, row, cell: status === 'passed' ? value : '**failed**' }];
    }),
  );
}

function tableOf(kind: string, columns: readonly string[], all: readonly Check[]): string {
  // Set by set, so that the first one gives the order of the rows.
  const checks = columns.flatMap((column) => all.filter((check) => check.kind === kind && check.column === column));
  const sections = Map.groupBy(checks, ({ section }) => section);
  const lines = [...sections].flatMap(([section, inSection]) => [
    line([`**${section}**`, ...columns.map(() => '')]),
    ...[...Map.groupBy(inSection, ({ row }) => row)].map(([row, cells]) =>
      line([row, ...columns.map((column) => cells.find((check) => check.column === column)?.cell ?? '–')]),
    ),
  ]);
  const rows = new Set(checks.map(({ section, row }) => `${section} ${row}`)).size;
  const head = [line([`${rows} checks`, ...columns]), line(['---', ...columns.map(() => '---')])];
  return [`## ${HEADINGS[kind]}`, '', ...head, ...lines].join('\n');
}

const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
