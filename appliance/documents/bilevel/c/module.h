/* The Python interface of the renderer: see ../_bilevel.pyi. */
#ifndef FAXBOX_MODULE_H
#define FAXBOX_MODULE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "sheet.h"

/* Far beyond the renderer's own limits. */
#define MOST_SIDE (1 << 20)
#define MOST_PIXELS (INT64_C(1) << 28)

/* Whether ``width`` x ``rows`` pixels of so many channels, rows every ``stride`` octets, are in the buffer. */
static inline int fits(const Py_buffer *buffer, Py_ssize_t width, Py_ssize_t rows, Py_ssize_t stride, int channels)
{
    return width > 0 && rows > 0 && width <= MOST_SIDE && rows <= MOST_SIDE && width <= MOST_PIXELS / rows
           && stride >= width * channels && stride <= 8 * (Py_ssize_t)MOST_SIDE
           && buffer->len >= stride * (rows - 1) + width * channels;
}

/* Raises ValueError; NULL. */
static inline void *no_picture(void)
{
    PyErr_SetString(PyExc_ValueError, "the octets do not make a picture of that size");
    return NULL;
}

static inline int is_inside(Box box, Box of)
{
    return box.left >= of.left && box.top >= of.top && box.right <= of.right && box.below <= of.below;
}

/* module_pictures.c */
PyObject *py_threshold(PyObject *module, PyObject *args);
PyObject *py_planes(PyObject *module, PyObject *args);
PyObject *py_levels(PyObject *module, PyObject *args);
PyObject *py_place(PyObject *module, PyObject *args);
PyObject *py_turn(PyObject *module, PyObject *args);
PyObject *py_toned(PyObject *module, PyObject *args);

/* module_method.c */
PyObject *py_new_ground(PyObject *module, PyObject *args);
PyObject *py_survey_band(PyObject *module, PyObject *args);
PyObject *py_settle_ground(PyObject *module, PyObject *args);
PyObject *py_bilevel(PyObject *module, PyObject *args);

#endif
