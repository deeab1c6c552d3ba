/* Narrow parts of areas: tips of sectors, wedges and strips, which are narrower than a stroke of type but of one tone
 * with an area that they belong to. */
#include "sheet.h"

#include <stdlib.h>

/* Areas of these levels only: what is darker is black, lighter is white. A pixel is of an area when it differs from
 * the area's level by at most OF_AREA, and of one tone with its neighbours when it differs by at most SAME_TONE. */
enum { DARKEST_AREA = 40, WHITE_AREA = 240, OF_AREA = 12, SAME_TONE = 2 };
/* Parts narrower than this many pixels are lines, but for ink within TIP / 2 pixels of an area of its tone. */
enum { NARROWEST = 7, TIP = 19 };

WIDE static void mark_apart(uint8_t *restrict line, const uint8_t *restrict tone, const uint8_t *restrict level,
                            ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t differ = difference(tone[x], level[x]);
        line[x] = (tone[x] >= DARKEST_AREA) & (differ > OF_AREA);
    }
}

/* Marks pixels of a tint that have the tone of those to the left and above. */
WIDE static void mark_even(uint8_t *restrict line, const uint8_t *tone, const uint8_t *left, const uint8_t *above,
                           ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t here = tone[x];
        uint8_t across = difference(here, left[x]);
        uint8_t down = difference(here, above[x]);
        line[x] = (here >= DARKEST_AREA) & (across <= SAME_TONE) & (down <= SAME_TONE);
    }
}

/* Sets ``apart`` to what differs from the level of its area. */
static void find_apart(const Band *band, const Mask *apart, const uint8_t *level, uint8_t *line)
{
    ptrdiff_t width = band->size.width;
    for (ptrdiff_t y = 0; y < band->size.rows; y++) {
        mark_apart(line, band->under_tone + y * width, level + y * width, width);
        take_line(apart, y, line);
    }
}

static void find_even(const Band *band, const Mask *even, uint8_t *line)
{
    ptrdiff_t width = band->size.width;
    for (ptrdiff_t y = 0; y < band->size.rows; y++) {
        const uint8_t *row = band->under_tone + y * width;
        line[0] = 0;
        mark_even(line + 1, row + 1, row, y > 0 ? row + 1 - width : row + 1, width - 1);
        take_line(even, y, line);
    }
}

/* Reduces ``apart`` to what is of one tone with an area that it is connected to. */
static int keep_parts(const Band *band, const Mask *apart, const Mask *even, const Mask *parts)
{
    if (open_mask(even, pixels_across(band, NARROWEST), pixels_down(band, NARROWEST)) < 0)
        return -1;
    copy_mask(parts, even);
    drop_mask(parts, apart);
    spread_mask(parts, even);
    keep_mask(apart, parts);
    return 0;
}

WIDE static void mark_like(uint8_t *restrict line, const uint8_t *restrict tone, const uint8_t *restrict area,
                           ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t differ = difference(tone[x], area[x]);
        line[x] = (area[x] >= DARKEST_AREA) & (area[x] < WHITE_AREA) & (differ <= OF_AREA);
    }
}

/* Sets ``tips`` to the ink that is like the darkest area around it. */
static int find_tips(const Band *band, const Mask *tips, const Mask *ink, const uint8_t *level, uint8_t *line)
{
    ptrdiff_t width = band->size.width, rows = band->size.rows;
    int down = pixels_down(band, TIP);
    uint8_t *area = malloc((size_t)width);
    Widening widening = {0};
    int failed = area == NULL || begin_widening(&widening, width, pixels_across(band, TIP), down, DARK) < 0;
    for (ptrdiff_t y = -(down / 2); y < rows && !failed; y++) {
        widen_next(&widening, area, y + down / 2 < rows ? level + (y + down / 2) * width : NULL);
        if (y < 0 || !any_in_row(ink, y))
            continue;
        mark_like(line, band->under_tone + y * width, area, width);
        take_line(tips, y, line);
    }
    keep_mask(tips, ink);
    end_widening(&widening);
    free(area);
    return failed ? -1 : 0;
}

static void set_levels(const Band *band, const Mask *parts, uint8_t *level, uint8_t *line)
{
    ptrdiff_t width = band->size.width;
    for (ptrdiff_t y = 0; y < band->size.rows; y++)
        if (any_in_row(parts, y)) {
            put_line(parts, y, line);
            take_where(level + y * width, band->under_tone + y * width, line, width);
        }
}

int take_narrow_parts(const Band *band, const Mask *ink, uint8_t *level)
{
    enum { APART, WIDE_PARTS, PARTS, ALL };
    Mask masks[ALL], *apart = masks + APART, *wide = masks + WIDE_PARTS, *tips = masks + PARTS;
    uint8_t *line = new_line(band->size);
    int failed = new_masks(masks, ALL, band->size) < 0 || line == NULL;
    if (!failed) {
        find_apart(band, apart, level, line);
        copy_mask(wide, apart);
        failed = open_mask(wide, pixels_across(band, NARROWEST), pixels_down(band, NARROWEST)) < 0;
    }
    if (!failed && any_marked(wide)) {
        find_even(band, wide, line);
        failed = keep_parts(band, apart, wide, masks + PARTS) < 0;
        drop_mask(ink, apart);
        set_levels(band, apart, level, line);
    }
    if (!failed && !band->ground->raster)
        drop_mask(ink, &band->photo); /* many specks, none of which is drawn */
    if (!failed)
        failed = find_tips(band, tips, ink, level, line) < 0;
    if (!failed && any_marked(tips)) {
        drop_mask(ink, tips);
        set_levels(band, tips, level, line);
        remove_specks(ink, band->dark_type != NULL ? MOST_SPECK : MOST_SPECK / 2); /* their rims */
    }
    free(line);
    free_masks(masks);
    return failed ? -1 : 0;
}
