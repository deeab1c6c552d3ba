/* Photographs: which tiles look like one, which pixels belong to one, and the line screen they are drawn with. */
#include "sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A tile looks like a photograph when at least SOFT_PERCENT of its pixels lie between DARKEST and LIGHTEST and
 * differ from their neighbours by less than SHARP levels (type is sharper), and its levels still spread over
 * LEAST_SPREAD without its ink. */
enum { DARKEST = 30, LIGHTEST = 225, SHARP = 70, SOFT_PERCENT = 50, LEAST_SPREAD = 28 };

/* Difference of the 95th and the 5th percentile of the tile's levels after closing, which removes ink. */
static int spread_without_ink(const Band *band, ptrdiff_t left, ptrdiff_t top, int tile_rows)
{
    enum { AROUND = STROKE / 2, SIDE = TILE + 4 * AROUND };
    uint8_t tones[SIDE * SIDE];
    Size size = band->size, square = {SIDE, tile_rows + 4 * AROUND};
    uint32_t histogram[256] = {0}, below = 0, count = (uint32_t)(TILE * tile_rows);
    for (ptrdiff_t y = 0; y < square.rows; y++)
        for (ptrdiff_t x = 0; x < SIDE; x++) {
            ptrdiff_t row = top + y - 2 * AROUND, column = left + x - 2 * AROUND;
            row = row < 0 ? 0 : row >= size.rows ? size.rows - 1 : row;
            column = column < 0 ? 0 : column >= size.width ? size.width - 1 : column;
            tones[y * SIDE + x] = band->tone[row * size.width + column];
        }
    if (without_dark(tones, tones, square, pixels_across(band, STROKE), pixels_down(band, STROKE)) < 0)
        return 0;
    for (ptrdiff_t y = 2 * AROUND; y < 2 * AROUND + tile_rows; y++)
        for (ptrdiff_t x = 2 * AROUND; x < 2 * AROUND + TILE; x++)
            histogram[tones[y * SIDE + x]]++;
    int low = 0, high = 255;
    while (low < 255 && (below += histogram[low]) * 20 <= count)
        low++;
    below = 0;
    while (high > 0 && (below += histogram[high]) * 20 <= count)
        high--;
    return high - low;
}

int looks_like_photograph(const Band *band, ptrdiff_t left, ptrdiff_t top)
{
    Size size = band->size;
    uint32_t soft = 0, count = 0;
    int tile_rows = rows_of_tile(band->ground->y_dpi), every = 2 * tile_rows / TILE, down = every + 1;
    for (ptrdiff_t y = top; y < top + tile_rows && y + 2 < size.rows; y += every)
        for (ptrdiff_t x = left; x < left + TILE && x + 2 < size.width; x += 2) {
            const uint8_t *at = band->tone + y * size.width + x;
            count++;
            if (*at < DARKEST || *at > LIGHTEST)
                continue;
            int least = 255, most = 0;
            for (int row = 0; row < down; row++)
                for (int column = 0; column < 3; column++) {
                    int value = at[row * size.width + column];
                    least = value < least ? value : least;
                    most = value > most ? value : most;
                }
            soft += most - least < SHARP;
        }
    return count && soft * 100 >= count * SOFT_PERCENT
           && spread_without_ink(band, left, top, tile_rows) >= LEAST_SPREAD;
}

static void mark_tiles(const Band *band)
{
    const Ground *ground = band->ground;
    Box content = ground->content;
    ptrdiff_t top = content.top < band->first ? band->first : content.top;
    ptrdiff_t below = content.below > band->first + band->size.rows ? band->first + band->size.rows : content.below;
    int tile_rows = rows_of_tile(ground->y_dpi);
    for (ptrdiff_t y = top; y < below; y++) {
        if (y > top && y % tile_rows) { /* same row of tiles */
            memcpy(row_of(&band->photo, y - band->first), row_of(&band->photo, y - band->first - 1),
                   (size_t)band->photo.stride * sizeof *band->photo.words);
            continue;
        }
        const Tile *tiles = ground->tile + y / tile_rows * ground->tiles.width;
        for (ptrdiff_t x = content.left; x < content.right;) {
            ptrdiff_t end = (x / TILE + 1) * TILE < content.right ? (x / TILE + 1) * TILE : content.right;
            if (tiles[x / TILE].photo)
                mark_run(&band->photo, y - band->first, x, end);
            x = end;
        }
    }
}

/* Maps a row or column in the rim of a box to the nearest one inside: tiles on the rim are only partly of the box. */
static ptrdiff_t inside(ptrdiff_t at, ptrdiff_t from, ptrdiff_t to, ptrdiff_t rim, ptrdiff_t end)
{
    ptrdiff_t in = at < from + rim ? from + rim : at >= to - rim ? to - rim - 1 : at;
    return in < 0 ? 0 : in >= end ? end - 1 : in;
}

static void mark_box(const Band *band, Box box)
{
    const Ground *ground = band->ground;
    Size size = band->size;
    int tile_rows = rows_of_tile(ground->y_dpi);
    ptrdiff_t top = box.top < band->first ? band->first : box.top;
    ptrdiff_t below = box.below > band->first + size.rows ? band->first + size.rows : box.below;
    ptrdiff_t left = box.left < 0 ? 0 : box.left, right = box.right > size.width ? size.width : box.right;
    for (ptrdiff_t x = left; x < right;) {
        ptrdiff_t column = inside(x, box.left, box.right, TILE / 2, size.width) / TILE, end = x + 1;
        while (end < right && inside(end, box.left, box.right, TILE / 2, size.width) / TILE == column)
            end++;
        for (ptrdiff_t y = top; y < below; y++) {
            ptrdiff_t row = inside(y, box.top, box.below, tile_rows / 2, ground->size.rows) / tile_rows;
            if (ground->tile[row * ground->tiles.width + column].photo)
                mark_run(&band->photo, y - band->first, x, end);
        }
        x = end;
    }
}

/* In a raster whole tiles are marked, on a drawn page boxes, whose edges are known to the pixel. */
void mark_photographs(const Band *band)
{
    const Ground *ground = band->ground;
    for (ptrdiff_t y = 0; y < band->size.rows && ground->tones == TONES_EVERYWHERE; y++)
        mark_run(&band->photo, y, 0, band->size.width);
    if (ground->tones != TONES_BY_CONTENT)
        return;
    if (ground->raster)
        mark_tiles(band);
    for (ptrdiff_t each = 0; each < band->box_count && !ground->raster; each++)
        mark_box(band, band->boxes[each]);
}

/* -- the line screen -------------------------------------------------------------------------- */

/* The lines are PITCH pixels apart at 204 dpi (34 to the inch) and shift sideways by one pitch in SLANT rows at 196
 * dpi. With so little slant a row resembles the one above, which T.4 and T.6 compress well; the slant yields tones
 * between two widths of the line. Among the screens that take no more octets, tried on three photographs, it is the
 * closest to the picture. */
enum { PITCH = 6, SLANT = 48 };
/* Levels outside are solid black and white, which need few octets. */
enum { BLACKEST = 50, WHITEST = 200 };
/* Printed lines appear darker than their area. */
#define DOT_GAIN_GAMMA 0.8
enum { MOST_CELL = 16 * 128 };

typedef struct {
    int width, rows;
    uint8_t levels[MOST_CELL];
} Cell;

typedef struct {
    double height;
    int at;
} Spot;

static int by_height(const void *one, const void *other)
{
    const Spot *a = one, *b = other;
    if (a->height != b->height)
        return a->height < b->height ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static void make_cell(const Ground *ground, Cell *cell)
{
    Spot spots[MOST_CELL];
    cell->width = (PITCH * ground->x_dpi + 102) / 204;
    cell->rows = (SLANT * ground->y_dpi + 98) / 196;
    cell->width = cell->width < 4 ? 4 : cell->width > 16 ? 16 : cell->width;
    cell->rows = cell->rows < 4 ? 4 : cell->rows > 128 ? 128 : cell->rows;
    int count = cell->width * cell->rows;
    for (int at = 0; at < count; at++) {
        double u = (at % cell->width + 0.5) / cell->width, v = (at / cell->width + 0.5) / cell->rows;
        spots[at].height = cos(2 * 3.14159265358979 * (u + v));
        spots[at].at = at;
    }
    qsort(spots, (size_t)count, sizeof *spots, by_height);
    for (int rank = 0; rank < count; rank++) {
        double level = pow((rank + 0.5) / count, 1 / DOT_GAIN_GAMMA);
        cell->levels[spots[rank].at] = (uint8_t)(BLACKEST + level * (WHITEST - BLACKEST) + 0.5);
    }
}

static void screen_row(uint8_t *line, const uint8_t *tone, const uint8_t *stretch, const uint8_t *levels, int period,
                       ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width;)
        for (int each = 0; each < period && x < width; each++, x++)
            line[x] = stretch[tone[x]] < levels[each];
}

int screen_photographs(const Band *band, const Mask *screened)
{
    Cell cell;
    uint8_t *line = new_line(band->size);
    if (line == NULL)
        return -1;
    make_cell(band->ground, &cell);
    for (ptrdiff_t y = 0; y < band->size.rows; y++)
        if (any_in_row(&band->photo, y)) {
            screen_row(line, band->under_tone + y * band->size.width, band->ground->stretch,
                       cell.levels + (y + band->first) % cell.rows * cell.width, cell.width, band->size.width);
            take_line(screened, y, line);
        }
    free(line);
    return 0;
}
