/* Weights stay where the loader maps the file: read-only, shared, fetched when touched. */
#ifdef __APPLE__
#define SECTION ".const_data"
#define SYMBOL "_@name@_weights"
#else
#define SECTION ".section .rodata.@name@_weights,\"a\""
#define SYMBOL "@name@_weights"
#endif
__asm__(SECTION "\n.balign 64\n.globl " SYMBOL "\n" SYMBOL ":\n.incbin \"" WEIGHTS "\"\n.text\n");
