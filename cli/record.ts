/** `faultline record`: a real program under strace or valgrind. Returns the exit status. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { arch, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { mapsMark } from '../lab/replay/strace/recording-marks.ts';
import { counted } from './counted.ts';
import { parseRecord } from './record-request.ts';
import type { RecordRequest } from './record-request.ts';
import { RecordingWriter, mapsNow } from './recording-writer.ts';
import { formatCount } from './text-table.ts';
import { UsageError } from './usage-error.ts';

/** How long strace holds a process while its areas are read, in microseconds. */
const HELD_US = 20_000;
const TRACED =
  'trace=%memory,%process,open,openat,creat,memfd_create,close,dup,dup2,dup3,fstat,newfstatat,' +
  'read,pread64,write,pwrite64,prctl';
const RAW = 'raw=read,pread64,write,pwrite64';

export async function record(args: readonly string[]): Promise<number> {
  const request = parseRecord(args);
  if (typeof request === 'string') {
    console.log(request);
    return 0;
  }
  if (process.platform !== 'linux') throw new UsageError('record needs Linux, and strace');
  const strace = versionOf('strace', 'apt-get install strace');
  if (request.accesses) versionOf('valgrind', 'apt-get install valgrind');
  const folder = mkdtempSync(join(tmpdir(), 'faultline-record-'));
  const onInterrupt = (): void => console.error('faultline: interrupted; the recording is closed');
  // The command gets the signal too, and ends; then so do we.
  process.once('SIGINT', onInterrupt);
  try {
    const host = `Linux ${release()} ${arch()}; ${strace}`;
    return await (request.accesses ? recordAccesses : recordCalls)(request, folder, host);
  } finally {
    process.removeListener('SIGINT', onInterrupt);
    rmSync(folder, { recursive: true });
  }
}

/** The first line that a tool prints about itself. */
function versionOf(tool: string, how: string): string {
  const { stdout, error } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  if (error !== undefined) throw new UsageError(`record needs ${tool}, which is not here: ${how}`);
  return (stdout.split('\n')[0] ?? tool).replace(/^strace -- version/, 'strace');
}

/** A pipe with a name, for tools that open their output themselves. */
function namedPipe(folder: string, name: string): string {
  const path = join(folder, name);
  const { status, stderr } = spawnSync('mkfifo', [path], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mkfifo: ${stderr}`);
  return path;
}

async function recordCalls(
  { command, output }: RecordRequest,
  folder: string,
  host: string,
): Promise<number> {
  const pipe = namedPipe(folder, 'strace');
  const inject = [
    ...['-e', `inject=execve,execveat:delay_exit=${HELD_US}`],
    ...['-e', `inject=exit_group:delay_enter=${HELD_US}`],
  ];
  const options = ['-f', '-y', '-ttt', '-o', pipe, '-e', TRACED, '-e', RAW, ...inject];
  const run = ['sh', '-c', 'exec "$0" "$@"', ...command];
  const child = spawn('strace', [...options, '--', ...run], { stdio: 'inherit' });
  const writer = new RecordingWriter(output, { tool: 'strace', command, host });
  const [status] = await Promise.all([ended(child, pipe), readPipe(pipe, writer)]);
  await writer.end();
  return tell(writer, output, status);
}

/** Strace holds valgrind at its end, too, so that the areas can be read. */
async function recordAccesses(
  { command, output }: RecordRequest,
  folder: string,
  host: string,
): Promise<number> {
  const log = namedPipe(folder, 'lackey');
  const calls = namedPipe(folder, 'strace');
  const inject = `inject=exit_group:delay_enter=${HELD_US}`;
  const options = ['-f', '--seccomp-bpf', '-o', calls, '-e', 'trace=exit_group', '-e', inject];
  const valgrind = ['valgrind', '--tool=lackey', '--trace-mem=yes', `--log-file=${log}`];
  const child = spawn('strace', [...options, '--', ...valgrind, ...command], { stdio: 'inherit' });
  const writer = new RecordingWriter(output, { tool: 'lackey', command, host });
  let maps = '';
  const watch = async (): Promise<void> => {
    for await (const piece of createReadStream(calls, 'latin1')) {
      const [, pid] = /(\d+) +exit_group\(/.exec(piece as string) ?? [];
      if (pid !== undefined && maps === '')
        maps = mapsMark(Number(pid), 'exit', mapsNow(Number(pid)));
    }
  };
  const copy = async (): Promise<void> => {
    for await (const piece of createReadStream(log, 'latin1')) {
      writer.lines += (piece as string).split('\n').length - 1;
      writer.write(piece as string);
    }
  };
  const [status] = await Promise.all([ended(child, log, calls), copy(), watch()]);
  writer.writeMaps(maps);
  await writer.end();
  return tell(writer, output, status);
}

async function readPipe(pipe: string, writer: RecordingWriter): Promise<void> {
  for await (const piece of createReadStream(pipe, 'latin1')) writer.take(piece as string);
}

/** How a tracer ended. If it has never opened its pipes, their readers are released. */
function ended(child: ChildProcess, ...pipes: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const pipe of pipes) spawnSync('sh', ['-c', ': <> "$0"', pipe]);
      resolve(signal ?? String(code));
    });
  });
}

function tell(writer: RecordingWriter, output: string, status: string): number {
  const { lines, bytes } = writer;
  const size = `${formatCount(Math.ceil(bytes / 1024))} KiB`;
  console.error(`faultline: ${output}: ${counted(lines, 'lines')}, ${size}; status ${status}`);
  if (lines > 0) return 0;
  console.error('faultline: nothing was recorded');
  rmSync(output);
  return 1;
}
