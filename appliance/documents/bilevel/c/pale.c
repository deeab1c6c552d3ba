/* Pale shapes among the ink: strips, bars and boxes that would be as black as dark ones. */
#include "sheet.h"

#include <stdlib.h>

/* In a scan, a strip of a pale tint: all of it is between STRIP_FROM and STRIP_TO deep, so little apart that type would be
 * a blot, in a box of STRIP_LONG x STRIP_WIDE pixels. Its rim, which sharpening makes darker, is up to RIM_DEEP deep. */
enum { STRIP_FROM = 19, STRIP_TO = 46, STRIP_LONG = 33, STRIP_WIDE = 9, STRIP_RIM = 7, RIM_DEEP = 60 };

WIDE static void mark_between(uint8_t *restrict line, const uint8_t *restrict depth, uint8_t from, uint8_t to,
                              ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (depth[x] >= from) & (depth[x] < to);
}

/* Sets ``mask`` to the pixels ``from`` to below ``to`` deep in the rows of ``ink`` that are not empty. */
static void where_between(const Mask *mask, const Mask *ink, const uint8_t *depth, int from, int to, uint8_t *line)
{
    ptrdiff_t width = mask->size.width;
    for (ptrdiff_t y = 0; y < mask->size.rows; y++)
        if (any_in_row(ink, y)) {
            mark_between(line, depth + y * width, (uint8_t)from, (uint8_t)to, width);
            take_line(mask, y, line);
        }
}

int drop_pale_strips(const Band *band, const Mask *ink, const uint8_t *depth)
{
    Mask masks[2], *strips = masks, *upright = masks + 1;
    uint8_t *line = new_line(band->size);
    int failed = new_masks(masks, 2, band->size) < 0 || line == NULL;
    if (!failed) {
        where_between(strips, ink, depth, STRIP_FROM, STRIP_TO, line);
        copy_mask(upright, strips);
        failed = open_mask(strips, pixels_across(band, STRIP_LONG), pixels_down(band, STRIP_WIDE)) < 0
                 || open_mask(upright, pixels_across(band, STRIP_WIDE), pixels_down(band, STRIP_LONG)) < 0;
        add_mask(strips, upright);
    }
    if (!failed && any_marked(strips)) {
        failed = widen_scaled(band, strips, STRIP_RIM, STRIP_RIM) < 0;
        where_between(upright, ink, depth, 0, RIM_DEEP, line);
        keep_mask(strips, upright);
        drop_mask(ink, strips);
    }
    free(line);
    free_masks(masks);
    return failed ? -1 : 0;
}

/* Elsewhere a shape up to HOLLOW_DEPTH deep that holds a box of BROAD x BROAD pixels, wider than a line. */
enum { HOLLOW_DEPTH = 46, BROAD = 9 };

int hollow_pale(const Band *band, const Mask *ink, const uint8_t *depth)
{
    Mask masks[2], *pale = masks, *broad = masks + 1, edge = {0};
    uint8_t *line = new_line(ink->size);
    int failed = new_masks(masks, 2, ink->size) < 0 || new_masks(&edge, 1, (Size){ink->size.width, 1}) < 0
                 || line == NULL;
    if (!failed) {
        where_between(pale, ink, depth, 0, HOLLOW_DEPTH + 1, line);
        keep_mask(pale, ink);
        copy_mask(broad, pale);
        failed = open_mask(broad, pixels_across(band, BROAD), pixels_down(band, BROAD)) < 0;
    }
    for (ptrdiff_t y = 0; y < ink->size.rows && !failed; y++)
        if (any_in_row(broad, y)) {
            outermost(&edge, pale, y);
            for (ptrdiff_t word = 0; word < ink->stride; word++)
                row_of(ink, y)[word] &= ~row_of(broad, y)[word] | row_of(&edge, 0)[word];
        }
    free(line);
    free_masks(masks);
    free_masks(&edge);
    return failed ? -1 : 0;
}
