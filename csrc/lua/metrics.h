/*
** What metrics.c and snapshot.c have from each other: whose counters there are,
** and how they are handed to Lua.
*/
#ifndef LDSC_METRICS_H
#define LDSC_METRICS_H

#include "lua/client.h"

/* Is the argument what core.sum made of snapshots? */
bool ldsc_issum(lua_State *L, int arg);
/* The counters of a client or of a sum; throws for any other argument. */
const struct dsc_metrics *ldsc_checkmetrics(lua_State *L, int arg);

/* A copy: a finaliser may close the client while its Lua value is made. */
struct ldsc_row {
  char name[DSC_METRIC_NAME_MAX];
  size_t length;
  struct dsc_counters counters;
};

/* The next name of which there is something to tell, from *place on. */
bool ldsc_nextrow(const struct dsc_metrics *metrics, uint32_t *place,
                  struct ldsc_row *row);

/* Sets a field of the table on top to a table of those counts that are not 0,
** by the names of ends. */
void ldsc_setcounts(lua_State *L, const char *name, const uint64_t *counts,
                    int count);

/* What becomes of results that were fetched ahead, by name. */
#define LDSC_FATES(X) \
  X("prefetch_issued", DSC_PREFETCH, DSC_ISSUED) \
  X("prefetch_used", DSC_PREFETCH, DSC_USED) \
  X("prefetch_wasted", DSC_PREFETCH, DSC_WASTED) \
  X("refresh_issued", DSC_REFRESH, DSC_ISSUED) \
  X("refresh_used", DSC_REFRESH, DSC_USED) \
  X("refresh_wasted", DSC_REFRESH, DSC_WASTED)

/* Sets a field of the table on top to each of them. */
void ldsc_setfates(lua_State *L, uint64_t (*ahead)[DSC_FATES]);

#endif
