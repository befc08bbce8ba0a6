/*
** Has the process been forked? What every room that holds on to something of
** its process shares.
*/
#ifndef LDSC_FORK_H
#define LDSC_FORK_H

#include <stdint.h>

/* How often the process was forked since it loaded this module, and one: its
** own, like its pid, but known without asking the kernel. */
uint32_t ldsc_generation(void);

#endif
