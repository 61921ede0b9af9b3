/** Boots a machine in the page, runs a program in it, and shows what came out. */
import { boot } from 'faultline';

async function main() {
  const lines = [];
  const machine = await boot({ memory: '16MiB', onPrint: (line) => lines.push(line) });
  const child = await machine.spawn(new URL('./program.js', import.meta.url), { args: [21] });
  const status = await child.wait();
  const { clean } = await machine.audit();
  await machine.shutdown();
  return `${lines.join('\n')}\n${JSON.stringify(status)}, audit ${clean ? 'clean' : 'not clean'}`;
}

const output = document.querySelector('pre');
main().then(
  (text) => (output.textContent = `done\n${text}`),
  (error) => (output.textContent = `failed\n${error.stack}`),
);
