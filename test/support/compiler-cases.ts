/** Constructs that the compiler takes, with arguments to call them with, and those it refuses. */

interface Construct {
  readonly code: string;
  readonly calls: readonly (readonly (number | boolean)[])[];
}

const PAIRS = [
  [5, 3],
  [-5, 3],
  [0, 0],
  [3, 5],
];

/** A function of two numbers that returns an expression. */
function pair(name: string, expression: string): Construct {
  const head = `export function ${name}(cpu: Cpu, a: number, b: number): number`;
  return { code: `${head} { return ${expression}; }`, calls: PAIRS };
}

function test(name: string, expression: string): Construct {
  const head = `export function ${name}(cpu: Cpu, a: number, b: number): boolean`;
  return { code: `${head} { return ${expression}; }`, calls: PAIRS };
}

function body(name: string, statements: string, calls: Construct['calls'] = PAIRS): Construct {
  const head = `export function ${name}(cpu: Cpu, a: number, b: number): number`;
  return { code: `${head} { ${statements} }`, calls };
}

/** By the name of the function. */
export const CONSTRUCTS: Readonly<Record<string, Construct>> = {
  sums: pair('sums', 'a + b - (a * b) + -a'),
  bits: pair('bits', '((a & b) | (a ^ b)) ^ ~a'),
  shifts: pair('shifts', '(a << b) + (a >> b) + (a >>> 1)'),
  masks: pair('masks', '(a & 0xffffffff) | (a << 1)'),
  lowBits: pair('lowBits', '(a >>> b) & 7'),
  constants: pair('constants', 'SHIFT + SIZE * 3 + TABLE.low + TABLE.high + COMPUTED + 2 ** 5'),
  comparisons: test('comparisons', 'a < b || a === 0 || (a >= 3 && b <= 3 && a !== b)'),
  negation: test('negation', '!(a > b) && true && !false'),
  choices: pair('choices', 'a < b ? a : b + 10'),
  extremes: pair('extremes', 'Math.min(a, b) * 100 + Math.max(a, b)'),
  zeros: pair('zeros', 'Math.clz32(a) + Math.imul(a, b)'),
  quotients: pair('quotients', 'Math.floor(a / 4)'),
  addresses: {
    code: `export function addresses(cpu: Cpu, at: VirtAddr, page: number): VirtAddr {
      const end: VirtAddr = (page + 1) * 4096;
      return Math.floor(at / 4096) * 4096 + end + Math.ceil(at / 2) - (at > end ? 1 : 0);
    }`,
    calls: [
      [2 ** 40 + 4097, 2 ** 28],
      [0, 5],
    ],
  },
  notNumbers: {
    code: `export function notNumbers(cpu: Cpu, at: VirtAddr): boolean {
      return Number.isNaN(at);
    }`,
    calls: [[NaN], [1]],
  },
  variables: body('variables', 'let x = a; const y: number = x + 1; x = y * 2; return x + y;'),
  compounds: body(
    'compounds',
    'let x = a; x += 3; x -= b; x *= 2; x &= 255; x |= 8; x ^= 3; x <<= 2; x >>= 1; return x;',
  ),
  steps: body('steps', 'let x = a; x++; ++x; x--; return x;'),
  branches: body('branches', 'if (a > b) return 1; else if (a === b) { return 2; } return 3;'),
  forLoops: body(
    'forLoops',
    `let sum = 0;
     for (let i = 0; i < 10; i++) { if (i === a) continue; if (i === 8) break; sum += i; }
     return sum;`,
  ),
  whileLoops: body('whileLoops', 'let n = a; while (n < 20) n += 7; ; return n;'),
  endless: body('endless', 'let n = a; for (;;) { n++; if (n > b) return n; }'),
  switches: body(
    'switches',
    `let r = 0;
     for (let i = 0; i < 3; i++) {
       switch (a) {
         case 3: r += 1; break;
         case 5: r += 10;
         case SHIFT: r += 100; continue;
         default: r += 1000;
       }
       r += 5;
     }
     return r;`,
  ),
  accesses: body(
    'accesses',
    `poke(cpu.words, 1, 6); store(cpu.words, a + 8, 9);
     const { words } = cpu;
     const before = add(words, 1, 2) + or(words, 1, 1) + and(words, 1, 3) + exchange(words, 2, b);
     const swapped = compareExchange(words, 2, b, a) + compareExchange(words, 2, b, 100);
     return before + swapped + peek(words, 1) + load(words, a + 8) + M.peek(words, 2);`,
    [[5, 3]],
  ),
  blocks: body(
    'blocks',
    `fillWords(cpu.words, 20, 30, a); copyWords(cpu.words, 22, 18, 6); pause();
     notify(cpu.words, 31, b); return wait(cpu.words, 31, a, 12);`,
  ),
  members: body(
    'members',
    `const { machine, phase } = cpu; cpu.phase = a; cpu.phase += 2; cpu.isIdle = a > b;
     return machine.frames + (machine.checked ? phase : 0) + cpu.phase;`,
  ),
  arrays: body(
    'arrays',
    `cpu.tlb.filled[2] = a; cpu.tlb.readBase[3] = b * 4096;
     return (cpu.tlb.filled[2] as number) + (cpu.tlb.filled[3] as number);`,
  ),
  stacks: body(
    'stacks',
    `const { held } = cpu.faultCursor;
     held.push(a); held.push(b); cpu.faultCursor.table = held.length;
     let sum = 0;
     for (let top = held.pop(); top !== undefined; top = held.pop()) sum = sum * 10 + top;
     return sum + cpu.faultCursor.table * 1000;`,
    [[5, 3]],
  ),
  helper: {
    code: `function helped(cpu: Cpu, cursor: Cursor, flag: boolean, by = 4): number {
      cursor.table = by;
      return flag ? cpu.phase + cursor.table : by;
    }
    export function helper(cpu: Cpu, a: number): number {
      return helped(cpu, cpu.faultCursor, a > 3) + helped(cpu, cpu.faultCursor, false, a);
    }`,
    calls: [[5], [0]],
  },
  imported: pair('imported', 'outside(cpu, a, a > b)'),
  protocols: body('protocols', 'cpu.machine.protocol.enter(cpu, a); return 0;'),
  panics: body(
    'panics',
    `assert(a !== 0, 'panics: zero', b); if (a > b) panic('panics: more', a, b, a > b); return a;`,
    [
      [0, 4],
      [3, 5],
    ],
  ),
  panicsLoudly: body('panicsLoudly', `return panic('loudly', a, b);`, [[7, -8]]),
};

interface RefusedCase {
  readonly code: string;
  /** The message after file and line. */
  readonly says: string;
  /** Lines below the function's first. */
  readonly at?: number;
}

function refused(name: string, statements: string, says: string): RefusedCase {
  const head = `export function ${name}(cpu: Cpu, a: number, at: VirtAddr): number {`;
  return { code: `${head}\n  ${statements}\n  return 0;\n}`, says, at: 1 };
}

function header(code: string, says: string): RefusedCase {
  return { code, says };
}

const CASES: readonly (readonly [string, string, string])[] = [
  [
    'division',
    'a = a / 3;',
    'a division, unless it is of an address or in Math.floor by a power of 2',
  ],
  ['remainder', 'a = a % 3;', '% on numbers of 32 bits'],
  ['wideMask', 'a = at & 3;', '& on numbers of 64 bits'],
  ['shiftByNone', 'a = a >>> a;', '>>> by what may be 0: its result need not fit 32 bits'],
  ['truthy', 'if (a) return 1;', 'a condition that is not a boolean'],
  [
    'wideIndex',
    'peek(cpu.words, at);',
    'a number that need not fit 32 bits where one of 32 bits is needed',
  ],
  ['tryCatch', 'try { a = 1; } catch { a = 2; }', 'TryStatement is outside the subset'],
  ['forOf', 'for (const x of cpu.words) a = x;', 'ForOfStatement is outside the subset'],
  ['doWhile', 'do a++; while (a < 3);', 'DoStatement is outside the subset'],
  ['label', 'for (;;) { out: break; }', 'LabeledStatement is outside the subset'],
  ['literal', 'const list = [a];', 'ArrayLiteralExpression is outside the subset'],
  ['closure', 'const f = () => a;', 'ArrowFunction is outside the subset'],
  ['text', "const s = 'x';", 'StringLiteral is outside the subset'],
  ['arrayPattern', 'const [x] = cpu.words;', 'an array pattern'],
  ['unset', 'let x: number;', 'a variable without a value'],
  ['rest', 'const { phase = 1 } = cpu;', 'a pattern with a default or a rest'],
  ['object', 'a = +cpu;', '+ within an expression'],
  ['asValue', 'a = cpu as never;', 'a Cpu used as a value'],
  ['secondCursor', 'cpu.spare.table = 1;', 'Cpu.spare is only for JavaScript'],
  [
    'elementOfNone',
    'a = (cpu.faultCursor.held)[0] as number;',
    'an element of anything but a typed array that a known object has',
  ],
  ['compoundElement', 'cpu.tlb.filled[0] += 1;', '+= of an element'],
  ['fixed', 'cpu.machine = a as never;', 'Cpu.machine cannot be assigned'],
  [
    'slice',
    'cpu.faultCursor.held.slice();',
    'slice of an array is outside the subset: push and pop are in it',
  ],
  ['arrayMember', 'a = cpu.words.length;', 'Int32Array.length is outside the subset'],
  ['method', 'cpu.tlb.filled.fill(0);', 'fill of a Int32Array is not known when compiling'],
  ['result', 'a = cpu.machine.protocol.twice(cpu);', 'twice of cpu.ts#second has a result'],
  ['facade', 'a = strange(cpu.words, 1);', 'strange of the façade is outside the subset'],
  ['sine', 'a = Math.sin(a);', 'Math.sin is outside the subset'],
  ['wideLimit', 'a = Math.min(at, 3);', 'Math.min and max of addresses'],
  ['message', 'panic(cpu as never);', 'panic whose message is not a literal'],
  ['manyValues', "panic('x', 1, 2, 3, 4, 5);", 'panic with too many values'],
  ['objectInPanic', "panic('x', cpu.machine);", 'a Machine in a message'],
  [
    'generic',
    'a = (cpu.phase as never as { f(): number }).f();',
    'not an object that a CPU has one of',
  ],
  [
    'computedCall',
    'a = (a > 1 ? outside : outside)(cpu, a, true);',
    'a call of nothing that is declared',
  ],
  ['inner', 'a = a++;', 'PostfixUnaryExpression is outside the subset'],
  ['comma', 'a = (1, a);', ', on numbers of 32 bits'],
  ['moduleState', 'a = COUNT;', 'COUNT is neither a variable of the function nor a constant'],
  ['changedConstant', 'state = 3;', 'state is no variable of the function with a number'],
];

/** By the name of the function that is refused. */
export const REFUSALS: Readonly<Record<string, RefusedCase>> = {
  ...Object.fromEntries(CASES.map(([name, code, says]) => [name, refused(name, code, says)])),
  generator: header(
    'export function* generator(cpu: Cpu): Generator<number> { yield 1; }',
    'of type Generator<number, any, any>: not a number',
  ),
  restParameter: header(
    'export function restParameter(cpu: Cpu, ...a: number[]): void {}',
    'of type number[]: not a number',
  ),
  inferred: header(
    'export function inferred(cpu: Cpu) { return 1; }',
    'code.ts#inferred does not say what it returns',
  ),
  textParameter: header(
    'export function textParameter(cpu: Cpu, a: string): void {}',
    'of type string: not a number',
  ),
};
