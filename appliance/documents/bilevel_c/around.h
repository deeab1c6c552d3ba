/* Counting what is marked of a mask around each pixel. */
#ifndef FAXBOX_AROUND_H
#define FAXBOX_AROUND_H

#include "masks.h"

/* How many pixels are marked in the box of across x down pixels (both odd) around each pixel, row after row. */
typedef struct {
    const Mask *mask;
    int across, down;
    ptrdiff_t next;
    uint16_t *columns, *sums, *counts;
    uint8_t *line;
} Around;

int begin_around(Around *around, const Mask *mask, int across, int down);
const uint16_t *next_around(Around *around); /* NULL: none in the whole row */
void end_around(Around *around);

/* ``dense`` is set where more than so much of the box around, in 1/100, is marked. */
int where_dense(const Mask *dense, const Mask *mask, int across, int down, int percent);

#endif
