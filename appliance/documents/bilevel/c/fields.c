/* Outlines the fields of forms where their tint becomes white: white ones on a tint, and empty ones of a tint.
 *
 * A field is white between tint on all four sides, which a white row of a table and the margin between two columns
 * are not; or tint between white, without ink in it, which the tinted row of a table mostly has. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* A tint is followed from its ink so many times, as it has holes in a scan. */
enum { TIMES = 3 };
/* A tint that fades has no edge: the step is within this many pixels. */
enum { EDGE = 3 };
/* Of a scan, whose white is PAPER_WHITE and has noise: how light a field is; it is higher than a stroke, and lower than
 * 60 mm, as shadows are not, and 20 mm long. */
enum { SCANNED_WHITE = 246, TALL = 463, WIDE_FIELD = 161 };
/* A photograph's paper is uneven and hardly white: of a scan half of the tiles are this light. */
enum { EVEN_PAPER = 240 };

/* The least level of white. */
static int white_of(const Band *band)
{
    return band->ground->scanned ? SCANNED_WHITE : FIELD_WHITE;
}

/* Sets ``fields`` to the levels from ``least`` to ``most``; returns 1 if there are any, 0 if not, or -1 without
 * memory. */
static int take_levels(const Mask *fields, const uint8_t *level, int least, int most)
{
    ptrdiff_t width = fields->size.width;
    int some = 0;
    uint8_t *line = new_line(fields->size);
    if (line == NULL)
        return -1;
    for (ptrdiff_t y = 0; y < fields->size.rows; y++) {
        some |= mark_levels(line, level + y * width, (uint8_t)least, (uint8_t)most, width);
        take_line(fields, y, line);
    }
    free(line);
    return some;
}

/* Removes from ``fields`` what is open to an edge of the band along its row or column. */
static int drop_open(const Mask *fields)
{
    Mask masks[2], *rows = masks, *columns = masks + 1;
    ptrdiff_t last = fields->size.rows - 1, width = fields->size.width;
    if (new_masks(masks, 2, fields->size) < 0)
        return -1;
    for (ptrdiff_t y = 0; y <= last; y++) {
        mark(rows, 0, y);
        mark(rows, width - 1, y);
    }
    mark_run(columns, 0, 0, width);
    mark_run(columns, last, 0, width);
    keep_mask(rows, fields);
    keep_mask(columns, fields);
    sweep_mask(rows, fields, 0);
    sweep_mask(columns, fields, 1);
    drop_mask(fields, rows);
    drop_mask(fields, columns);
    free_masks(masks);
    return 0;
}

/* Removes what is narrow or tall. */
static int only_fields(const Band *band, const Mask *fields)
{
    Mask tall;
    int failed = open_mask(fields, pixels_across(band, STROKE), pixels_down(band, STROKE)) < 0
                 || new_masks(&tall, 1, band->size) < 0;
    if (failed)
        return -1;
    copy_mask(&tall, fields);
    failed = open_mask(&tall, 1, pixels_down(band, TALL)) < 0;
    drop_mask(fields, &tall);
    free_masks(&tall);
    return failed || only_runs(fields, pixels_across(band, WIDE_FIELD), (int)band->size.rows + 1) < 0 ? -1 : 0;
}

/* Whether tint and white meet at a pixel of a field, without a line of its own. */
static int is_edge(const Band *band, const Mask *black, const uint8_t *level, ptrdiff_t x, ptrdiff_t y)
{
    static const int sides[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    ptrdiff_t width = band->size.width, rows = band->size.rows;
    int here = level[y * width + x], white = white_of(band);
    for (int each = 0; each < 4; each++) {
        ptrdiff_t across = sides[each][0], down = sides[each][1], at_x = x + EDGE * across, at_y = y + EDGE * down;
        if (at_x < 0 || at_x >= width || at_y < 0 || at_y >= rows || is_marked(&band->photo, at_x, at_y))
            continue;
        int outside = level[at_y * width + at_x], lined = 0;
        for (int step = 1 - EDGE; step <= 2 * EDGE; step++)
            if (step && x + step * across >= 0 && x + step * across < width && y + step * down >= 0
                && y + step * down < rows)
                lined |= is_marked(black, x + step * across, y + step * down);
        int meet = here >= white ? outside <= here - FIELD_PALER && outside >= PALE_FROM : outside >= white;
        if (meet && !lined)
            return 1;
    }
    return 0;
}

static int has_even_paper(const Ground *ground)
{
    ptrdiff_t tiles = ground->tiles.width * ground->tiles.rows, papers = 0, white = 0;
    for (ptrdiff_t each = 0; each < tiles; each++) {
        papers += ground->tile[each].paper_tone > 0;
        white += ground->tile[each].paper_tone >= EVEN_PAPER;
    }
    return 2 * white >= papers;
}

static void outline(const Band *band, const Mask *black, const uint8_t *level, const Mask *near_type,
                    const Mask *fields, const Mask *edge)
{
    for (ptrdiff_t y = 0; y < band->size.rows; y++) {
        if (!any_in_row(fields, y))
            continue;
        outermost(edge, fields, y);
        for (ptrdiff_t x = next_marked(edge, 0, 0); x < band->size.width; x = next_marked(edge, 0, x + 1))
            if (!is_marked(near_type, x, y) && !is_marked(&band->photo, x, y) && is_edge(band, black, level, x, y))
                mark(black, x, y);
    }
}

/* Removes from ``tinted`` what has ink in it. A darker tint in it is none: the share that a bar shows. */
static int drop_inked(const Mask *tinted, const Mask *ink, const Mask *near_type)
{
    Mask inked;
    if (new_masks(&inked, 1, tinted->size) < 0)
        return -1;
    copy_mask(&inked, ink);
    add_mask(&inked, near_type);
    keep_mask(&inked, tinted);
    for (int times = 0; times < TIMES; times++)
        spread_mask(&inked, tinted);
    drop_mask(tinted, &inked);
    free_masks(&inked);
    return 0;
}

int outline_fields(const Band *band, const Mask *black, const uint8_t *level, const Mask *ink, const Mask *near_type)
{
    enum { TINTED, WHITE, EDGE_ROW, ALL };
    Mask masks[ALL], *tinted = masks + TINTED, *white = masks + WHITE;
    int scanned = band->ground->scanned;
    if (scanned && !has_even_paper(band->ground))
        return 0;
    int failed = new_masks(masks, ALL, band->size) < 0;
    int some = failed ? 0 : take_levels(tinted, level, PALE_FROM, white_of(band) - FIELD_PALER);
    if (some > 0) {
        failed = take_levels(white, level, white_of(band), 255) < 0 || drop_inked(tinted, ink, near_type) < 0
                 || drop_open(white) < 0 || drop_open(tinted) < 0
                 || (scanned && (only_fields(band, white) < 0 || only_fields(band, tinted) < 0))
                 || open_mask(tinted, pixels_across(band, EMPTY_ACROSS), pixels_down(band, EMPTY_DOWN)) < 0;
        if (!failed) {
            outline(band, black, level, near_type, white, masks + EDGE_ROW);
            outline(band, black, level, near_type, tinted, masks + EDGE_ROW);
        }
    }
    free_masks(masks);
    return failed || some < 0 ? -1 : 0;
}
