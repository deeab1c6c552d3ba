/* Removes security grounds of certificates, prescriptions and cheques from the ink: pale fine lines, dots or
 * microprint that cover a part of the page and have type on them. They would drown the type and cost many octets. */
#include "security_regions.h"

#include <stddef.h>
#include <stdlib.h>

/* A quick test, on every EVERYth row, whether a page may have a security ground. It may when LEAST_TILES tiles
 * (LEAST_TILES_KNOWN where type is known, as such a page comes in parts) have no pixel of depth LEAST_DEEP, and they
 * and the eight around them are at least LOOKED_AT_PERCENT pale: from depth LEAST_PALE, or PALE_TIMES the noise, to
 * below LEAST_DEEP. */
enum { LEAST_TILES = 240, LEAST_TILES_KNOWN = 40, LOOKED_AT_PERCENT = 6, LEAST_PALE = 15, PALE_TIMES = 3,
       LEAST_DEEP = 100, EVERY = 4 };

WIDE static void count_row(uint16_t *restrict pale, uint16_t *restrict deep, const uint8_t *restrict depth,
                           uint8_t least, ptrdiff_t tiles)
{
    for (ptrdiff_t tile = 0; tile < tiles; tile++, depth += TILE) {
        uint8_t of_pale = 0, of_deep = 0;
        for (int x = 0; x < TILE; x++) {
            of_pale += (depth[x] >= least) & (depth[x] < LEAST_DEEP);
            of_deep += depth[x] >= LEAST_DEEP;
        }
        pale[tile] = (uint16_t)(pale[tile] + of_pale);
        deep[tile] = (uint16_t)(deep[tile] + of_deep);
    }
}

int may_have_security_ground(const Band *band, const uint8_t *depth)
{
    int rows = rows_of_tile(band->ground->y_dpi), looked_at = rows / EVERY * TILE;
    uint8_t least = (uint8_t)beyond_noise(band, LEAST_PALE, PALE_TIMES);
    Size size = {band->size.width / TILE, band->size.rows / rows};
    size_t count = (size_t)(size.width * size.rows);
    uint16_t *pale = calloc(2 * count + 1, sizeof *pale), *deep = pale + count;
    uint8_t *dense = malloc(2 * count + 1), *all = dense + count;
    int failed = pale == NULL || dense == NULL, tiles = 0;
    for (ptrdiff_t y = 0; y < size.rows * rows && !failed; y += EVERY) {
        ptrdiff_t at = y / rows * size.width;
        count_row(pale + at, deep + at, depth + y * band->size.width, least, size.width);
    }
    for (ptrdiff_t at = 0; at < (ptrdiff_t)count && !failed; at++) {
        ptrdiff_t x = at % size.width * TILE + TILE / 2, y = at / size.width * rows + rows / 2;
        int screened = !band->ground->raster && is_marked(&band->photo, x, y);
        dense[at] = pale[at] * 100 >= looked_at * LOOKED_AT_PERCENT && !screened;
    }
    failed = failed || widen_dark(all, dense, size, 3, 3) < 0;
    for (size_t at = 0; at < count && !failed; at++)
        tiles += all[at] && deep[at] == 0;
    free(pale);
    free(dense);
    return failed ? -1 : tiles >= (band->dark_type != NULL ? LEAST_TILES_KNOWN : LEAST_TILES);
}

/* The ring lies from RING_FROM / 2 to RING_TO / 2 pixels around deep ones. Runs of STRAIGHT pixels are straight. */
enum { RING_FROM = 7, RING_TO = 15, STRAIGHT = 41 };

static int count_shapes(const Band *band, const Cells *cells, const Mask *pale, const Mask *deep)
{
    enum { RING, SCRATCH, ALL };
    Mask masks[ALL], *ring = masks + RING, *scratch = masks + SCRATCH;
    if (new_masks(masks, ALL, band->size) < 0)
        return -1;
    copy_mask(ring, deep);
    copy_mask(scratch, deep);
    int failed = widen_scaled(band, ring, RING_TO, RING_TO) < 0
                 || widen_scaled(band, scratch, RING_FROM, RING_FROM) < 0;
    drop_mask(ring, scratch);
    copy_mask(scratch, pale);
    failed = failed || only_runs(scratch, pixels_across(band, STRAIGHT), pixels_down(band, STRAIGHT)) < 0;
    count_in_cells(cells, ring, offsetof(Cell, ring));
    count_in_cells(cells, scratch, offsetof(Cell, straight));
    keep_mask(ring, pale);
    count_in_cells(cells, ring, offsetof(Cell, pale_in_ring));
    free_masks(masks);
    return failed ? -1 : 0;
}

/* Returns the number of security grounds, or -1 without memory. */
static int find_grounds(const Band *band, const Cells *cells, const Mask *marks, const uint8_t *depth)
{
    Mask masks[2], *pale = masks, *deep = masks + 1;
    if (new_masks(masks, 2, band->size) < 0)
        return -1;
    take_depths(cells, marks, depth);
    int found = settle_splits(cells) < 0 ? -1 : where_less(cells, pale, depth, offsetof(Cell, split));
    if (found == 0) {
        keep_mask(pale, marks);
        copy_mask(deep, marks);
        drop_mask(deep, pale);
        count_in_cells(cells, pale, offsetof(Cell, pale));
        count_in_cells(cells, deep, offsetof(Cell, deep));
        found = settle_regions(cells, BY_PIXELS);
    }
    if (found > 0)
        found = count_shapes(band, cells, pale, deep) < 0 ? -1 : settle_regions(cells, BY_SHAPES);
    if (found > 0)
        found = count_sizes(cells, pale) < 0 ? -1 : settle_regions(cells, BY_SIZES);
    free_masks(masks);
    return found;
}

WIDE static void clear_where(uint8_t *restrict depth, const uint8_t *restrict where, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        depth[x] &= (uint8_t)(where[x] - 1);
}

/* Sets the depth of marked pixels to 0. */
static int clear_depth(const Mask *where, uint8_t *depth)
{
    uint8_t *line = new_line(where->size);
    for (ptrdiff_t y = 0; y < where->size.rows && line != NULL; y++)
        if (any_in_row(where, y)) {
            put_line(where, y, line);
            clear_where(depth + y * where->size.width, line, where->size.width);
        }
    free(line);
    return line == NULL ? -1 : 0;
}

int drop_security_ground(const Band *band, const Mask *ink, const Mask *marks, uint8_t *depth)
{
    int rows = rows_of_tile(band->ground->y_dpi);
    Cells cells = {tiles_of(band->size, band->ground->y_dpi), rows, band->dark_type != NULL, NULL};
    Mask dropped = {0};
    cells.cell = calloc((size_t)(cells.size.width * cells.size.rows), sizeof *cells.cell);
    int failed = cells.cell == NULL || new_masks(&dropped, 1, band->size) < 0;
    int found = failed ? -1 : find_grounds(band, &cells, marks, depth);
    if (found > 0) {
        failed = where_less(&cells, &dropped, depth, offsetof(Cell, below)) < 0 || clear_depth(&dropped, depth) < 0;
        keep_mask(&dropped, ink);
        drop_mask(ink, &dropped);
        failed = failed || make_paper(band, &dropped) < 0;
    }
    free(cells.cell);
    free_masks(&dropped);
    return failed || found < 0 ? -1 : 0;
}
