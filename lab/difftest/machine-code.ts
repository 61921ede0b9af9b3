/**
 * A program in machine code (x86-64) that carries out a list of instructions without any help of
 * the runtime around it: system calls, and copies that answer with the signal when they fault.
 *
 * An instruction is nine 64-bit words:
 *
 *      0 kind   1 result   2 … 8 operands
 *      END      ends the list
 *      CALL     number, six arguments; the result is what the kernel returns
 *      COPY     to, from, bytes; the result is 0, or signal * 256 + si_code
 *      COPY_IF  the same if bit 0 of the byte at the fourth operand is set; else nothing
 *      FORK     the child goes on with the list at the first operand; the result is its pid
 *
 * The signal handler continues behind the copy that faulted; anything else is a crash and stays
 * one (ud2).
 */

export const END = 0;
export const CALL = 1;
export const COPY = 2;
export const COPY_IF = 3;
export const FORK = 4;
export const INSTRUCTION_BYTES = 72;

/** Offsets of the two entries: run(list), and a handler for SIGSEGV and SIGBUS (SA_SIGINFO). */
export const RUN_AT = 0x00;
export const HANDLER_AT = 0x6f;

const LISTING = `
  00 run:     53                     push  rbx
  01          48 89 fb               mov   rbx, rdi         ; the list
  04 next:    8b 03                  mov   eax, [rbx]
  06          85 c0                  test  eax, eax
  08          74 63                  je    done
  0a          83 f8 01               cmp   eax, 1
  0d          74 2d                  je    call
  0f          83 f8 02               cmp   eax, 2
  12          74 0e                  je    copy
  14          83 f8 04               cmp   eax, 4
  17          74 43                  je    fork
  19          48 8b 43 28            mov   rax, [rbx+40]
  1d          f6 00 01               test  byte [rax], 1
  20          74 14                  je    skip
  22 copy:    48 8b 7b 10            mov   rdi, [rbx+16]
  26          48 8b 73 18            mov   rsi, [rbx+24]
  2a          48 8b 4b 20            mov   rcx, [rbx+32]
  2e          31 c0                  xor   eax, eax
  30 copying: f3 a4                  rep   movsb
  32 landing: 48 89 43 08            mov   [rbx+8], rax
  36 skip:    48 83 c3 48            add   rbx, 72
  3a          eb c8                  jmp   next
  3c call:    48 8b 43 10            mov   rax, [rbx+16]
  40          48 8b 7b 18            mov   rdi, [rbx+24]
  44          48 8b 73 20            mov   rsi, [rbx+32]
  48          48 8b 53 28            mov   rdx, [rbx+40]
  4c          4c 8b 53 30            mov   r10, [rbx+48]
  50          4c 8b 43 38            mov   r8, [rbx+56]
  54          4c 8b 4b 40            mov   r9, [rbx+64]
  58          0f 05                  syscall
  5a          eb d6                  jmp   landing
  5c fork:    b8 39 00 00 00         mov   eax, 57          ; fork
  61          0f 05                  syscall
  63          85 c0                  test  eax, eax
  65          75 cb                  jne   landing
  67          48 8b 5b 10            mov   rbx, [rbx+16]
  6b          eb 97                  jmp   next
  6d done:    5b                     pop   rbx
  6e          c3                     ret
  6f handler: 48 8d 05 ba ff ff ff   lea   rax, [copying]   ; (signal, siginfo, ucontext)
  76          48 3b 82 a8 00 00 00   cmp   rax, [rdx+168]   ; the RIP that faulted
  7d          74 02                  je    caught
  7f          0f 0b                  ud2
  81 caught:  8b 06                  mov   eax, [rsi]       ; si_signo
  83          c1 e0 08               shl   eax, 8
  86          0b 46 08               or    eax, [rsi+8]     ; si_code
  89          48 89 82 90 00 00 00   mov   [rdx+144], rax   ; becomes RAX
  90          48 8d 05 9b ff ff ff   lea   rax, [landing]
  97          48 89 82 a8 00 00 00   mov   [rdx+168], rax   ; becomes RIP
  9e          c3                     ret
`;

/** The bytes of the listing, in order. */
export function machineCode(): Uint8Array<ArrayBuffer> {
  const bytes = LISTING.trim()
    .split('\n')
    .flatMap((line) => line.trim().slice(12, 35).trim().split(' '))
    .map((byte) => Number.parseInt(byte, 16));
  return Uint8Array.from(bytes);
}
