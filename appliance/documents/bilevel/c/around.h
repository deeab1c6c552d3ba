/* Counts marked pixels around each pixel, row by row. */
#ifndef FAXBOX_AROUND_H
#define FAXBOX_AROUND_H

#include "masks.h"

/* Counts in a box of across x down pixels (both odd); ``next_around`` returns those of the next row. */
typedef struct {
    const Mask *mask;
    int across, down;
    ptrdiff_t next;
    uint16_t *columns, *sums, *counts;
    uint8_t *line;
} Around;

int begin_around(Around *around, const Mask *mask, int across, int down);
const uint16_t *next_around(Around *around); /* NULL if all are 0 */
void end_around(Around *around);

/* Marks in ``dense`` where more than ``percent`` of the box around is marked. */
int where_dense(const Mask *dense, const Mask *mask, int across, int down, int percent);

#endif
