/**
 * Goal: names lead somewhere, and to one place only. Method: as in tidy.test.ts, each rule is first
 * shown a sample that breaks it.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as rules from './name-rules.ts';
import { everything, product, root } from './repository.ts';

/** Files that users write, in the documents' examples. */
const usersFiles = ['answer.ts', 'mine.ts'];
/** Since then subjects have had a limit. */
const firstWithLimit = 'a8a2daa';

const paths = everything.map(({ path }) => path);

describe('a file that is named', () => {
  it('in a comment or on a page exists, and is one file', () => {
    const sources = [
      { path: 'a/a.ts', text: '// b.ts, c.ts and gone.ts\nconst text = "lost.ts";' },
      { path: 'docs/a.md', text: 'See `a/b.ts`, [this](../a/a.ts), `mine.ts`, or `b/gone.md`.' },
    ];
    const present = ['a/a.ts', 'a/b.ts', 'b/c.ts', 'd/c.ts'];
    expect(rules.findMissingFiles(sources, present, ['mine.ts'])).toEqual([
      'a/a.ts:1: 2 files are called c.ts',
      'a/a.ts:1: there is no gone.ts',
      'docs/a.md:1: there is no b/gone.md',
    ]);
    const readable = everything.filter(({ path }) => /\.(m?[jt]s|md)$/.test(path));
    expect(rules.findMissingFiles(readable, paths, usersFiles)).toEqual([]);
  });

  it.each(['kernel', 'shared'])('has no namesake in %s/', (folder) => {
    expect(rules.findTwins(['a/x.ts', 'b/x.ts', 'a/index.ts', 'b/index.ts'])).toEqual([
      'a/x.ts = b/x.ts',
    ]);
    const inside = product.map(({ path }) => path).filter((path) => path.startsWith(`${folder}/`));
    expect(rules.findTwins(inside)).toEqual([]);
  });
});

describe('the subject of a commit', () => {
  const log = spawnSync('git', ['log', '--no-merges', '--format=%s', `${firstWithLimit}..HEAD`], {
    cwd: root,
    encoding: 'utf8',
  });

  it('has 72 columns at most', () => {
    expect(rules.checkSubject('x'.repeat(73))).toEqual([`73 columns: ${'x'.repeat(73)}`]);
    expect(rules.checkSubject('x'.repeat(72))).toEqual([]);
  });

  it.skipIf(log.status !== 0)(`has 72 columns at most in this history`, () => {
    expect(log.stdout.trimEnd().split('\n').flatMap(rules.checkSubject)).toEqual([]);
  });
});
