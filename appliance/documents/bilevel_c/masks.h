/* Masks: planes of nothing but 0 and 1, worked on as bits, 64 pixels at a time. */
#ifndef FAXBOX_MASKS_H
#define FAXBOX_MASKS_H

#include "planes.h"

typedef struct {
    uint64_t *words; /* ``stride`` to a row; the lowest bit is the leftmost pixel; 0 beyond the edge */
    ptrdiff_t stride;
    Size size;
} Mask;

/* The plane as bits, with room for windows of so many rows.  Returns 0, or -1 without memory. */
int take_mask(Mask *mask, const uint8_t *plane, Size size, int down);
void put_mask(const Mask *mask, uint8_t *plane);
void free_mask(Mask *mask);

/* Set where any, or all, of the box of across x down pixels (both odd) are.  Beyond the edge there is nothing that
 * counts.  ``down`` is at most what the mask was taken with. */
int widen_mask(Mask *mask, int across, int down);
int narrow_mask(Mask *mask, int across, int down);

#endif
