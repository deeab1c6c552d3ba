/* The page in cells, of which regions may be a security ground. */
#ifndef FAXBOX_SECURITY_CELLS_H
#define FAXBOX_SECURITY_CELLS_H

#include "sheet.h"

/* A cell is as large as a tile, but its place is counted from the band's first row. Its histogram has DEPTHS bins. */
enum { DEPTHS = 64, DEPTH_STEP = 256 / DEPTHS };

typedef struct {
    uint16_t depths[DEPTHS];                       /* histogram of the depths of marked pixels */
    uint16_t pale, deep, ring, pale_in_ring, type, dots, straight; /* pixels; the ring lies around deep ones */
    uint8_t split;                                 /* pixels less deep are pale; 0: none, 255: all */
    uint8_t dense;                                 /* there are many pale pixels around */
    uint8_t taken;                                 /* belongs to a region in work, or to one already examined */
    uint8_t below;                                 /* pixels less deep are the security ground; 0: none */
} Cell;

typedef struct {
    Size size;
    int rows; /* rows of pixels in a cell */
    int known; /* the type is known */
    Cell *cell;
} Cells;

/* Box of the cells up to ``away`` cells around one. */
static inline Box cells_around(const Cells *cells, ptrdiff_t x, ptrdiff_t y, ptrdiff_t away)
{
    return (Box){x < away ? 0 : x - away, y < away ? 0 : y - away,
                 x + away < cells->size.width ? x + away + 1 : cells->size.width,
                 y + away < cells->size.rows ? y + away + 1 : cells->size.rows};
}

/* Functions that return int return 0, or -1 without memory. ``offset`` is that of a count, or of a
 * depth, in Cell. */
void take_depths(const Cells *cells, const Mask *marks, const uint8_t *depth);
/* Adds the number of marked pixels in each cell to its count. */
void count_in_cells(const Cells *cells, const Mask *mask, size_t offset);
/* Sets ``split``, by the depths of the cells around each. */
int settle_splits(const Cells *cells);
/* Marks in ``less`` where the depth is below the cell's value. */
int where_less(const Cells *cells, const Mask *less, const uint8_t *depth, size_t offset);
/* Adds to each cell the pixels of dots and of things as large as letters. */
int count_sizes(const Cells *cells, const Mask *mask);

#endif
