/** House rules about names: files that are mentioned, files that share a name, commit subjects. */
import { posix } from 'node:path';
import ts from 'typescript';
import { folderOf, parse } from './tidy-rules.ts';
import type { Source } from './tidy-rules.ts';

const subjectColumnsMax = 72;

interface Mention {
  readonly line: number;
  /** A path or a bare name; `*` stands for any part of a name. */
  readonly file: string;
}

/** What looks like a file of this repository: not the .js files that users write or builds make. */
const fileName =
  /(?<![\w@/.-])(?:\.{1,2}\/)*[\w*][\w*/-]*(?:\.test|\.config|\.d)?\.(?:m?ts|mjs|md)\b/g;

function mentionsIn(text: string, firstLine: number): Mention[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(fileName)].map(([file]) => ({ line: firstLine + index, file })),
    );
}

/** The comments of a script, by the compiler's scanner: strings that hold code are left alone. */
function commentsOf(source: Source): Mention[] {
  const { text } = source;
  const file = parse(source);
  const ranges = new Map<number, ts.CommentRange>();
  const visit = (node: ts.Node): void => {
    const found = [
      ...(ts.getLeadingCommentRanges(text, node.pos) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.end) ?? []),
    ];
    if (!ts.isTemplateSpan(node) && !ts.isTemplateHead(node)) {
      for (const range of found) ranges.set(range.pos, range);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return [...ranges.values()].flatMap(({ pos, end }) =>
    mentionsIn(text.slice(pos, end), file.getLineAndCharacterOfPosition(pos).line + 1),
  );
}

/** What a page says of files in `code` and in [links](…), its examples left out. */
function mentionsOfPage({ text }: Source): Mention[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, (block) => block.replace(/[^\n]/g, ''));
  const quoted = prose.replace(/`[^`\n]*`|\]\([^)]*\)|[^`\]\n]/g, (part) =>
    part.startsWith('`') || part.startsWith('](') ? part : ' ',
  );
  return mentionsIn(quoted, 1);
}

/** The files that `file`, mentioned in `from`, may mean. The nearer ones win. */
function meant(file: string, from: string, paths: readonly string[]): readonly string[] {
  const name = file.replace(/^(\.{1,2}\/)+/, '');
  const pattern = new RegExp(`(^|/)${name.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
  const last = posix.basename(name);
  const found = paths.filter(
    (path) => (last.includes('*') || path.endsWith(last)) && pattern.test(path),
  );
  if (file.includes('*') || paths.includes(file)) return found.slice(0, 1);
  const beside = posix.join(posix.dirname(from), file);
  if (paths.includes(beside)) return [beside];
  const near = found.filter((path) => folderOf(path) === folderOf(from));
  return near.length === 1 ? near : found;
}

/** Files that comments and pages name, but that do not exist or might be several. */
export function findMissingFiles(
  sources: readonly Source[],
  paths: readonly string[],
  users: readonly string[],
): string[] {
  return sources.flatMap((source) => {
    const mentions = source.path.endsWith('.md') ? mentionsOfPage(source) : commentsOf(source);
    return mentions
      .filter(({ file }) => !users.includes(file.replace(/^\.\//, '')))
      .flatMap(({ line, file }) => {
        const found = meant(file, source.path, paths);
        if (found.length === 1) return [];
        const what = found.length === 0 ? 'there is no' : `${found.length} files are called`;
        return [`${source.path}:${line}: ${what} ${file}`];
      });
  });
}

/** Files below one folder that share a name, which a comment could not tell apart. */
export function findTwins(paths: readonly string[]): string[] {
  const byName = new Map<string, string[]>();
  for (const path of paths) {
    const name = posix.basename(path);
    if (name !== 'index.ts') byName.set(name, [...(byName.get(name) ?? []), path]);
  }
  return [...byName.values()].filter((twins) => twins.length > 1).map((twins) => twins.join(' = '));
}

export function checkSubject(subject: string): string[] {
  const columns = [...subject].length;
  return columns > subjectColumnsMax ? [`${columns} columns: ${subject}`] : [];
}
