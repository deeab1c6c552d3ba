/* The grounds that light type may stand on. "Ground" here is the tint or dark area that light type stands on. */
#ifndef FAXBOX_LIGHT_GROUNDS_H
#define FAXBOX_LIGHT_GROUNDS_H

#include "sheet.h"

/* Light type is more than LIGHTER levels above its ground. Grounds are darker than GROUND_BELOW, so that something can
 * be that much lighter. */
enum { LIGHTER = 38, GROUND_BELOW = 255 - LIGHTER };
/* A light area is at least AREA pixels broad and high. */
enum { AREA = STROKE + 2 };
/* Every EVERYth pixel of every EVERYth row (half of that at standard resolution) is a sample. */
enum { EVERY = 4 };

static inline int rows_of_sample(const Band *band)
{
    return band->ground->y_dpi < COARSE_DPI ? EVERY / 2 : EVERY;
}

/* Sets ``medians`` to the ground of each sample, 255 where there is none; ``scratch`` is for twice as
 * many. Returns whether there is one, or -1 without memory. */
int find_light_grounds(uint8_t *medians, uint8_t *scratch, Size small, const Band *band);

/* light_lines.c: removes from ``light`` slanting and bent lines, such as those between the sectors of a chart. */
int drop_thin_lines(const Band *band, const Mask *light);

#endif
