/* What is no type: photographs under a line screen, flat tints as rows of lines. */
#include "sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- photographs ------------------------------------------------------------------------------ */

/* A tile of a photograph: at least half of its pixels are neither white nor black and are not as sharp as
 * type; its tones are spread even without its ink. */
enum { DARKEST = 30, LIGHTEST = 225, SHARP = 70, SOFT_PERCENT = 50, LEAST_SPREAD = 28 };

/* The tile's tones without what is dark and narrow: of each pixel the lightest of its surroundings, of those
 * the darkest, by samples. */
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
    if (without_dark(tones, square, pixels_across(band, STROKE), pixels_down(band, STROKE)) < 0)
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
        const Tile *tiles = ground->tile + y / tile_rows * ground->tiles.width;
        uint8_t *row = band->photo + (y - band->first) * band->size.width;
        for (ptrdiff_t x = content.left; x < content.right;) {
            ptrdiff_t end = (x / TILE + 1) * TILE < content.right ? (x / TILE + 1) * TILE : content.right;
            memset(row + x, tiles[x / TILE].photo, (size_t)(end - x));
            x = end;
        }
    }
}

/* Tiles of a raster, whole boxes of a drawn page: their edges are known to the pixel. */
void mark_photographs(const Band *band)
{
    const Ground *ground = band->ground;
    Size size = band->size;
    memset(band->photo, ground->tones == TONES_EVERYWHERE, (size_t)(size.width * size.rows));
    if (ground->tones != TONES_BY_CONTENT)
        return;
    if (ground->raster) {
        mark_tiles(band);
        return;
    }
    int tile_rows = rows_of_tile(ground->y_dpi), rim = tile_rows / 2;
    for (ptrdiff_t each = 0; each < band->box_count; each++) {
        Box box = band->boxes[each];
        ptrdiff_t top = box.top < band->first ? band->first : box.top;
        ptrdiff_t below = box.below > band->first + size.rows ? band->first + size.rows : box.below;
        ptrdiff_t left = box.left < 0 ? 0 : box.left, right = box.right > size.width ? size.width : box.right;
        for (ptrdiff_t y = top; y < below; y++)
            for (ptrdiff_t x = left; x < right; x++) {
                /* A pixel of the box's rim is as its tile inside. */
                ptrdiff_t ty = y < box.top + rim ? box.top + rim : y >= box.below - rim ? box.below - rim - 1 : y;
                ptrdiff_t tx = x < box.left + TILE / 2 ? box.left + TILE / 2 : x >= box.right - TILE / 2 ? box.right - TILE / 2 - 1 : x;
                ty = ty < 0 ? 0 : ty >= ground->size.rows ? ground->size.rows - 1 : ty;
                tx = tx < 0 ? 0 : tx >= size.width ? size.width - 1 : tx;
                band->photo[(y - band->first) * size.width + x] |=
                    ground->tile[ty / tile_rows * ground->tiles.width + tx / TILE].photo;
            }
    }
}

/* -- the line screen -------------------------------------------------------------------------- */

/* The screen's lines are this far apart at 204 pixels to the inch (34 an inch), and over so many rows at 196
 * a line moves sideways by one pitch.  So steep, a row resembles the one above, which is what T.4 and T.6
 * compress; the slant gives the tones between two widths of the line.  Measured on three photographs: of all
 * screens with their octets the nearest to the picture. */
enum { PITCH = 6, SLANT = 48 };
/* Tones below and above these are black and white: pure areas cost nothing. */
enum { BLACKEST = 50, WHITEST = 200 };
/* Lines print darker than their area. */
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

void screen_photographs(const Band *band, uint8_t *black)
{
    Cell cell;
    const uint8_t *stretch = band->ground->stretch;
    make_cell(band->ground, &cell);
    for (ptrdiff_t y = 0; y < band->size.rows; y++) {
        const uint8_t *levels = cell.levels + (y + band->first) % cell.rows * cell.width;
        for (ptrdiff_t x = 0; x < band->size.width; x++) {
            ptrdiff_t at = y * band->size.width + x;
            if (band->photo[at])
                black[at] = stretch[band->under_tone[at]] < levels[x % cell.width];
        }
    }
}

/* -- flat tints ------------------------------------------------------------------------------- */

/* Tints are lines lying across the page: to T.6 a line is two changes however long it is, and a line above
 * it of the same ends costs one bit each.  Of ``of`` rows ``black`` are black. */
typedef struct {
    int least; /* levels from here up */
    int black, of;
} Tint;

static const Tint TINTS[] = {{215, 0, 8}, {165, 1, 8}, {115, 1, 6}, {70, 1, 3}, {40, 2, 3}, {0, 1, 1}};
enum { KINDS = sizeof TINTS / sizeof *TINTS, PALE = PALE_TINT };

/* Pale tints smaller than this both ways are not worth a line: a tick box with one in it looks ticked. */
enum { SMALL = 48 };
/* A pixel that is this much lighter or darker than its surroundings is not of the tint. */
enum { OF_TINT = 14 };
/* Where tints meet a line is drawn when the step is sharp and at least so high. */
enum { STEP = 24 };
/* Round type the line of a pale tint is left out so many pixels farther, counted across both sides. */
enum { FARTHER = 5 };

int tint_of(int level)
{
    int kind = 0;
    while (kind < KINDS - 1 && level < TINTS[kind].least)
        kind++;
    return kind;
}

enum { BLACK_AREA = 115 };

static void make_kinds(const Band *band, uint8_t kinds[256])
{
    for (int value = 0; value < 256; value++) {
        int level = value - band->darker / 4;
        if (band->ground->tones == TONES_NONE) /* type and nothing else: areas are black or white */
            kinds[value] = level < BLACK_AREA ? KINDS - 1 : 0;
        else
            kinds[value] = (uint8_t)tint_of(level < 0 ? 0 : level > 255 ? 255 : level);
    }
}

/* Between type a tint shows only where there is room for a line of this length. */
enum { SHORTEST_LINE = 80 };

/* Pixels of a row that are looked at at a time. */
enum { PIECE = 64 };

WIDE static int is_lighter(const uint8_t *levels, uint8_t than)
{
    uint8_t some = 0;
    for (int x = 0; x < PIECE; x++)
        some |= levels[x] <= than;
    return some == 0;
}

static void hatch_row(const Band *band, uint8_t *black, const uint8_t *level, const uint8_t *clear,
                      const uint8_t *large, const uint8_t *kinds, ptrdiff_t y)
{
    ptrdiff_t width = band->size.width, run = 0, looked_to = 0;
    int thick = (band->ground->y_dpi + 98) / 196; /* rows that a line is high */
    thick = thick < 1 ? 1 : thick;
    uint8_t shown[KINDS], lightest = 0; /* of what may be black in this row */
    for (int kind = 0; kind < KINDS; kind++) {
        int of = TINTS[kind].of;
        if (band->ground->y_dpi < 150 && of > 3) /* half as many rows on paper */
            of /= 2;
        shown[kind] = (y + band->first) / thick % of < TINTS[kind].black;
    }
    for (int value = 0; value < 256; value++)
        if (shown[kinds[value]] || (band->ground->patterned && kinds[value] > 0))
            lightest = (uint8_t)value;
    const uint8_t *tone = band->under_tone + y * width, *photo = band->photo + y * width;
    black += y * width;
    level += y * width;
    clear += y * width;
    large += y * width;
    int shortest = pixels_across(band, SHORTEST_LINE), begun_at_type = 0;
    for (ptrdiff_t x = 0; x < width; x++) {
        if (run == 0 && x >= looked_to && x + PIECE <= width) {
            looked_to = x + PIECE;
            if (is_lighter(level + x, lightest)) {
                x += PIECE - 1;
                continue;
            }
        }
        int kind = kinds[level[x]], solid = kind == KINDS - 1;
        int lines = shown[kind];
        if (band->ground->patterned && kind > 0 && !solid) {
            int pattern = pattern_at(band, x, y);
            if (pattern)
                lines = is_on_line(band, pattern, x, y, TINTS[kind].black, TINTS[kind].of);
        }
        int on = lines && !photo[x] && !clear[x] && (kind != PALE || large[x])
                 && abs(tone[x] - level[x]) <= (solid ? 3 * OF_TINT : OF_TINT);
        if (on) {
            if (run == 0)
                begun_at_type = x > 0 && clear[x - 1];
            run++;
            black[x] = 1;
        } else {
            if (run && run < shortest && !solid && (clear[x] || begun_at_type))
                memset(black + x - run, 0, (size_t)run);
            run = 0;
        }
    }
}

/* Whether no pixel of a piece of a row differs by a step from two pixels to the left or two rows above. */
WIDE static int has_no_step(const uint8_t *here, const uint8_t *left, const uint8_t *above)
{
    uint8_t some = 0;
    for (int x = 0; x < PIECE; x++) {
        uint8_t across = here[x] > left[x] ? here[x] - left[x] : left[x] - here[x];
        uint8_t down = here[x] > above[x] ? here[x] - above[x] : above[x] - here[x];
        some |= (across >= STEP) | (down >= STEP);
    }
    return some == 0;
}

/* Round pale tints the line keeps farther from type: a watermark's. */
static void outline(const Band *band, uint8_t *black, const uint8_t *level, const uint8_t *near_type,
                    const uint8_t *pale_near, const uint8_t *kinds)
{
    ptrdiff_t width = band->size.width;
    for (ptrdiff_t y = 2; y < band->size.rows; y++) {
        ptrdiff_t looked_to = 0;
        for (ptrdiff_t x = 2; x < width; x++) {
            ptrdiff_t at = y * width + x;
            if (x >= looked_to && x + PIECE <= width) {
                looked_to = x + PIECE;
                if (has_no_step(level + at, level + at - 2, level + at - 2 * width)) {
                    x += PIECE - 1;
                    continue;
                }
            }
            int here = level[at], left = level[at - 2], above = level[at - 2 * width];
            if ((here == left && here == above) || band->photo[at] || near_type[at])
                continue;
            int kind = kinds[here];
            if (pale_near[at] && kind <= PALE && kinds[left] <= PALE && kinds[above] <= PALE)
                continue;
            if ((kinds[left] != kind && abs(here - left) >= STEP && level[at - 1] != here)
                || (kinds[above] != kind && abs(here - above) >= STEP && level[at - width] != here))
                black[at] = 1;
        }
    }
}

WIDE static size_t mark_toned(uint8_t *restrict toned, const uint8_t *restrict level, const uint8_t *restrict photo,
                              uint8_t white, size_t count)
{
    size_t marked = 0;
    for (size_t from = 0; from < count; from += PIECE) {
        uint32_t of_piece = 0;
        for (size_t at = from; at < from + PIECE && at < count; at++) {
            toned[at] = (level[at] < white) & (photo[at] == 0);
            of_piece += toned[at];
        }
        marked += of_piece;
    }
    return marked;
}

int hatch(const Band *band, uint8_t *black, const uint8_t *level, const uint8_t *clear, const uint8_t *near_type)
{
    size_t octets = (size_t)(band->size.width * band->size.rows), toned = 0;
    uint8_t kinds[256], *large = malloc(octets);
    if (large == NULL)
        return -1;
    make_kinds(band, kinds);
    uint8_t white = 255; /* levels from here up are white */
    while (white > 0 && kinds[white - 1] == 0)
        white--;
    toned = mark_toned(large, level, band->photo, white, octets);
    int failed = 0;
    if (toned) {
        failed = only_runs(large, band->size, pixels_across(band, SMALL), pixels_down(band, SMALL)) < 0;
        for (ptrdiff_t y = 0; !failed && y < band->size.rows; y++)
            hatch_row(band, black, level, clear, large, kinds, y);
        memcpy(large, near_type, octets);
        failed = failed || widen_light(large, band->size, pixels_across(band, FARTHER), pixels_down(band, FARTHER)) < 0;
        if (!failed)
            outline(band, black, level, near_type, large, kinds);
    }
    free(large);
    return failed ? -1 : 0;
}
