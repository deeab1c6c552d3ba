/* Which regions of a page are security grounds. */
#ifndef FAXBOX_SECURITY_REGIONS_H
#define FAXBOX_SECURITY_REGIONS_H

#include "security_cells.h"

/* A region is tested by the marked pixels of its cells, then by shapes, which take longer to
 * count, then by sizes. */
typedef enum { BY_PIXELS, BY_SHAPES, BY_SIZES } Test;
/* Number of regions that are security grounds by all tests up to ``last``; -1 without memory. */
int settle_regions(const Cells *cells, Test last);

#endif
