# The whole program of the infra container: wait for signals, collect dead children, leave on TERM or INT.
# Build: as -o pause.o pause.s && objcopy -O binary -j .text pause.o pause_amd64.bin
        .intel_syntax noprefix
        .text
_start:
        # rt_sigprocmask(SIG_BLOCK, {all}, NULL, 8): signals are taken by rt_sigtimedwait below
        xor     edi, edi
        push    -1
        mov     rsi, rsp
        xor     edx, edx
        mov     r10d, 8
        mov     eax, 14
        syscall
        # the set waited for: SIGCHLD (17), SIGTERM (15), SIGINT (2); bit n-1 each
        push    0x14002
wait:
        # rt_sigtimedwait(set, NULL, NULL, 8)
        mov     rdi, rsp
        xor     esi, esi
        xor     edx, edx
        mov     r10d, 8
        mov     eax, 128
        syscall
        cmp     eax, 15
        je      leave
        cmp     eax, 2
        je      leave
reap:
        # wait4(-1, NULL, WNOHANG, NULL) until there is nothing to collect
        mov     rdi, -1
        xor     esi, esi
        mov     edx, 1
        xor     r10d, r10d
        mov     eax, 61
        syscall
        test    eax, eax
        jg      reap
        jmp     wait
leave:
        xor     edi, edi
        mov     eax, 60
        syscall
