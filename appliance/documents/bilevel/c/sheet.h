/* Converts a page from tones to black and white. docs/pages.md describes the method and gives its figures.
 *
 * Large pages come in bands, so that only one band is in memory at a time: first every band is surveyed, then
 * decisions about the whole page are made (``settle``), then each band is converted.
 *
 * Terms: the *depth* of a pixel is how many levels it is darker than its surroundings; the *level* of an area is its
 * grey without type and lines; *widening* and *closing* are morphological. Lengths in constants are pixels at 204 x
 * 196 dpi unless said otherwise. */
#ifndef FAXBOX_SHEET_H
#define FAXBOX_SHEET_H

#include "around.h"

/* Dark things up to this width are ink, wider ones areas: 2.4 mm, the strokes of 36 pt bold. */
#define STROKE 19
/* A pixel so many levels lighter than its area's level is of a gap: areas are closed over gaps narrower than STROKE. */
enum { GAP_LIGHTER = 38 };

typedef struct {
    const uint8_t *pixels; /* grey, or blue, green, red and an unused octet */
    ptrdiff_t stride;
    int channels; /* 1 or 4 */
} Pixels;

typedef struct {
    ptrdiff_t left, top, right, below; /* right and below are exclusive */
} Box;

/* What is known of a tile of the page: TILE pixels across, as many down, half as many below COARSE_DPI. */
enum { TILE = 24, COARSE_DPI = 150, STEPS = 64 };
typedef struct {
    uint16_t tones[STEPS]; /* histogram of luma over the sampled pixels */
    uint16_t looked_at;
    int16_t blue, red;              /* mean excess over green */
    uint8_t paper_type, paper_tone; /* 90th percentile of type and tone; 0 without content */
    uint8_t middle;                 /* median of luma */
    uint8_t noise;                  /* median difference of neighbours on the paper, in levels */
    uint8_t edges;                  /* number of sharp steps, at most 255 */
    uint8_t photo;                  /* 1 if it looks like a part of a photograph */
} Tile;

enum { TONES_NONE, TONES_BY_CONTENT, TONES_EVERYWHERE }; /* what is screened */

/* A colour of tints and the pattern of lines drawn for it. */
enum { MOST_COLOURS = 32 };
typedef struct {
    uint32_t count; /* sampled pixels */
    uint32_t first, same; /* red, green and blue of the first one, and how many are exactly like it */
    uint16_t key;
    uint8_t level, pattern;
} Colour;

/* The page as a whole. */
typedef struct {
    Size size, tiles;
    int x_dpi, y_dpi;
    Box content; /* the document's content; paper beyond */
    int tones;
    int raster; /* a picture, in which type is not known */
    uint64_t levels[256];
    int frequent_colours; /* number of colours with enough samples for a chart */

    /* Decisions, see ``settle``. */
    int turned;  /* the page is light on dark and is inverted */
    Box dark;    /* in tiles: the page without white margins, which are not inverted */
    int scanned; /* it has paper with noise */
    int noise;   /* median noise of the paper in levels, scaled to white paper */
    uint8_t stretch[256]; /* new levels of photographs */
    int colour_count, patterned; /* some tints of one level get different patterns */
    Colour colours[MOST_COLOURS];
    Tile tile[];
} Ground;

/* Rows of the page from ``first`` on. */
typedef struct {
    const Ground *ground;
    Size size;
    ptrdiff_t first;
    Pixels from;
    int darker; /* -100 (lighter) to 100 */
    const Box *boxes; /* where photographs may be, in pixels of the page; unused for a raster */
    ptrdiff_t box_count;

    /* Grey for finding type, and luma, of the page to survey; those to convert, without type where the document tells
     * what is type. */
    uint8_t *type, *tone;
    uint8_t *under_type, *under_tone;
    uint8_t *dark_type, *light_type; /* depth and height of type; NULL if not known */
    /* Where these may be more than 0, one below the other, counted from ``above`` rows above this part of the band. In
     * other rows they are not set. */
    const Box *type_boxes;
    ptrdiff_t type_count, above;

    uint8_t *closed; /* closing of under_tone */
    Mask photo;      /* where photographs are */
} Band;

/* scale.c: a length at 204 x 196 dpi in pixels of the band, odd; widening and closing by such lengths; tiles. */
int pixels_across(const Band *band, int length);
int pixels_down(const Band *band, int length);
int widen_scaled(const Band *band, const Mask *mask, int across, int down);
int close_scaled(const Band *band, const Mask *mask, int across, int down);
/* Tints keep away from type: it is widened by this many pixels, and gaps between words up to CLEAR_CLOSED are
 * filled. */
enum { CLEAR_ACROSS = 19, CLEAR_DOWN = 15, CLEAR_CLOSED = 41 };
int rows_of_tile(int y_dpi);
Size tiles_of(Size size, int y_dpi);

/* rows.c: sets kinds[y] for each row of a grey page: white, black on white (plain), or more than that (toned), and
 * ROW_SOLID for black areas ``solid_rows`` high. A pixel that is neither ink nor white is the rim of a letter if
 * both are near it; any other is a tone. With ``spared`` other than EVERY_TONE the page is judged as a whole: up to
 * this many tones do not count, if there is no grey area; with more, the kinds are not set. Returns 1 for such a
 * toned page, 0 otherwise, or -1 without memory. */
enum { ROW_WHITE, ROW_PLAIN, ROW_TONED, ROW_SOLID = 4 };
enum { EVERY_TONE = -1 };    /* ``spared`` of a page that is divided */
enum { SOLID_ROWS = STROKE }; /* rows at 196 dpi of a black area that may be solid */
int tell_rows(uint8_t *kinds, const uint8_t *grey, ptrdiff_t stride, Size page, uint8_t ink_below, uint8_t white_from,
              ptrdiff_t solid_rows, ptrdiff_t spared);

/* scans.c: a bilevel picture in packed rows. ``paper`` is all ones if set bits are paper, else 0. Its pixels fill
 * ``box`` of a grey page of size ``page``, which is at most twice as large as the picture. Only ``within``, inside
 * both box and page, is drawn. */
typedef struct {
    const uint8_t *bits;
    ptrdiff_t stride;
    Size size;
    uint64_t paper;
} Picture;
int place_picture(uint8_t *grey, Size page, const Picture *picture, Box box, Box within);
/* Its ink after so many quarters clockwise, 1 to 3, in packed rows; a set bit is ink. */
void turn_picture(uint8_t *to, const Picture *picture, int quarters);

/* pixels.c */
/* Marks the levels from ``least`` to ``most`` in a line; returns whether there are any. */
int mark_levels(uint8_t *restrict line, const uint8_t *restrict level, uint8_t least, uint8_t most, ptrdiff_t width);
void take_luma(uint8_t *tone, Pixels from, Size size);
void take_planes(uint8_t *type, uint8_t *tone, Pixels from, Size size);
/* Turns the planes of the page, which are those to convert, into such ``without`` type, and sets its depth and height.
 * Only the ``type_boxes`` of it are read. */
void take_under(const Band *band, Pixels without);

/* survey.c: ``survey`` returns 0, or -1 without memory. */
int survey(Ground *ground, const Band *band, ptrdiff_t from, ptrdiff_t below);
/* The most sampled pixels of a tile in FLAT_STEPS adjacent steps: about one tone. */
uint32_t most_alike(const uint16_t steps[STEPS]);

/* pictured.c: mark the tiles of photographs: in the boxes of a drawn page, or anywhere in a raster. Return 0, or -1
 * without memory. */
int settle_boxes(Ground *ground, const Box *boxes, ptrdiff_t box_count);
int settle_tiles(Ground *ground);
int is_all_photograph(const Ground *ground);

/* ground.c: PAPER_WHITE is the level that white paper is brought to. Returns 0, or -1 without memory. */
enum { PAPER_WHITE = 250 };
int settle(Ground *ground, const Box *boxes, ptrdiff_t box_count, int darker);

/* levels.c: returns 0, or -1 without memory. */
int level_band(Band *band);
/* ``times`` the noise of the paper at a pixel of the band, or ``as_it_came`` if that is more, scaled to white paper. */
int least_depth(const Band *band, ptrdiff_t x, ptrdiff_t y, int times, int as_it_came);
/* The greater of ``depth`` and ``times`` the noise of a scanned page. */
int beyond_noise(const Band *band, int depth, int times);

/* Functions below that return int return 0, or -1 without memory, unless said otherwise. */

/* photographs.c */
int looks_like_photograph(const Band *band, ptrdiff_t left, ptrdiff_t top);
void mark_photographs(const Band *band);
int screen_photographs(const Band *band, const Mask *screened);

/* tints.c: a tint is drawn as horizontal lines: ``black`` of every ``of`` rows. T.6 codes two changes for a line
 * whatever its length, and a line with the same ends as the one above costs one bit for each. */
typedef struct {
    int least; /* lowest level of this tint */
    int black, of;
} Tint;
enum { WHITE_TINT, PALE_TINT, BLACK_TINT = 5, TINT_KINDS };
extern const Tint TINTS[TINT_KINDS];
int tint_of(int level);

/* tones.c */
int hatch(const Band *band, const Mask *black, const uint8_t *level, const Mask *clear, const Mask *near_type);

/* hues.c: draws a line between tints of a picture that differ in colour alone. ``kinds``: the tint of each level. */
void part_hues(const Band *band, const Mask *black, const uint8_t *level, const Mask *near_type, const uint8_t *kinds);

/* fields.c: outlines white fields on pale tints, and empty ones of a tint, but not near type. White is at least
 * FIELD_WHITE light, tints FIELD_PALER levels darker, but from PALE_FROM on, as darker ones are drawn. Empty fields are
 * at least this large: not the letters of a watermark. */
enum { FIELD_WHITE = 251, FIELD_PALER = 5, PALE_FROM = 215, EMPTY_ACROSS = 97, EMPTY_DOWN = 25 };
int outline_fields(const Band *band, const Mask *black, const uint8_t *level, const Mask *ink, const Mask *near_type);

/* patterns.c */
/* A pixel counts as tint if it has the same colour as the pixels FLAT to its left and FLAT above. */
enum { FLAT = 4 };
/* ``is_tint``: whether tints of a level may get patterns. ``every``: one row in this many is sampled. */
void note_colours(Ground *ground, const Band *band, Box within, int every, const uint8_t is_tint[256], uint8_t *places);
/* Colours are compared by COLOUR_BITS of red, green and blue each. ``places`` holds, for each such key, 1 plus the
 * index of its colour, or 0. */
enum { COLOUR_BITS = 5, COLOUR_KEYS = 1 << (3 * COLOUR_BITS) };
void take_places(uint8_t *places, const Ground *ground);
static inline uint16_t key_of(const uint8_t *pixel)
{
    enum { REST = 8 - COLOUR_BITS };
    return (uint16_t)((pixel[2] >> REST) << (2 * COLOUR_BITS) | (pixel[1] >> REST) << COLOUR_BITS | pixel[0] >> REST);
}
void settle_patterns(Ground *ground);
enum { LYING, UPRIGHT_LINES, RISING, FALLING, CROSSED, PATTERNS };
/* Lines that are not horizontal cost octets in every row, so they are this many pixels apart (1.5 mm) and thicker. */
enum { LINES_APART = 12 };
/* Sets ``phases`` to where each pixel of a row is between upright lines, and ``distances`` to how far pixels of row
 * ``y`` are from the line of a pattern by their phase, up to LINES_APART. */
void take_phases(uint8_t *phases, const Band *band);
void take_distances(uint8_t distances[PATTERNS][LINES_APART], const Band *band, ptrdiff_t y);

/* ink.c */
/* ``level``: of the areas, without light lines. */
int find_ink(const Band *band, const Mask *ink, const uint8_t *level);
int find_type(const Band *band, const Mask *dark, const Mask *light);
/* Marks in ``ink`` where ``depth`` is at least ``least`` and ``share`` percent of the greatest depth nearby. */
int where_deep(const Mask *ink, const uint8_t *depth, const Band *band, int least, int share);
enum { LIGHT_SHARE = 55 }; /* for light type */

/* narrow.c: of a page without noise, removes narrow parts of areas from ``ink`` and sets ``level`` there. */
int take_narrow_parts(const Band *band, const Mask *ink, uint8_t *level);

/* pale.c: removes from the ink of a scan narrow strips of a pale tint; of a raster the pale fills of small boxes; of a page
 * without noise all but the outline of pale shapes broader than a line, so that what is left of a bar that shows a share is
 * told from the share. ``least``: the depth of ink. */
int drop_pale_strips(const Band *band, const Mask *ink, const uint8_t *depth);
int drop_pale_fills(const Band *band, const Mask *ink, const uint8_t *depth, int least);
enum { HOLLOW_DEPTH = 46 };
int hollow_pale(const Band *band, const Mask *ink, const uint8_t *depth, int least);

/* grid.c */
int drop_grid(const Band *band, const Mask *ink, const uint8_t *depth);
/* Turns what was dropped into paper, so that gaps between stripes are not taken for light lines. */
int make_paper(const Band *band, const Mask *dropped);

/* pieces.c: joins the pieces of pale lines in ``ink``. */
int join_pieces(const Band *band, const Mask *ink, const uint8_t *depth);

/* security.c: ``marks`` are the pixels of sufficient depth, ``ink`` is what the ground is removed from; its ``depth``
 * becomes 0. */
int may_have_security_ground(const Band *band, const uint8_t *depth); /* 0, 1, or -1 without memory */
int drop_security_ground(const Band *band, const Mask *ink, const Mask *marks, uint8_t *depth);

/* light.c */
int find_light_type(const Band *band, const Mask *light, const Mask *ink, uint8_t *level);

/* specks.c: removes connected groups of at most ``most`` pixels. */
enum { MOST_SPECK = 8 };
void remove_specks(const Mask *ink, int most);

/* codes.c: sets ``codes`` to the areas of machine-readable codes, and writes their modules into ``ink``. */
int find_codes(const Band *band, const Mask *codes, const Mask *ink);

/* lines.c: removes lines that are not type from ``black`` near dark type; ``clear`` is what tints keep away from. */
enum { HALO = 7 };
int part_lines(const Band *band, const Mask *black, const Mask *dark, const Mask *clear);

/* boxes.c: puts ``light`` type into black boxes, its letters white. Bars darker than DARK_BAR are black as a whole. */
enum { DARK_BAR = 115 };
int set_off(const Band *band, const Mask *black, const Mask *light, const uint8_t *level, const Mask *clear);

/* method.c */
int make_bilevel(Band *band, const Mask *black);

#endif
