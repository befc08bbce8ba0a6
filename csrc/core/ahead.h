/*
** What is fetched before anybody asks for it, and what becomes of it.
*/
#ifndef DSC_AHEAD_H
#define DSC_AHEAD_H

enum dsc_ahead {
  DSC_PREFETCH, /* because it will be asked for */
  DSC_REFRESH,  /* because it is asked for all the time */
  DSC_AHEADS    /* somebody waited for it */
};

enum dsc_fate {
  DSC_ISSUED,
  DSC_USED,   /* somebody asked for it */
  DSC_WASTED, /* it went before anybody did */
  DSC_FATES
};

#endif
