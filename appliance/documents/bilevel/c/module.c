/* The module: its functions, and the memory that it keeps. */
#include "module.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#define LARGEST_OCTETS (32 << 20) /* glibc's maximum */
#define KEPT_OCTETS (128 << 20)

static PyMethodDef methods[] = {
    {"threshold", py_threshold, METH_VARARGS, "See _bilevel.pyi."},
    {"planes", py_planes, METH_VARARGS, "See _bilevel.pyi."},
    {"levels", py_levels, METH_VARARGS, "See _bilevel.pyi."},
    {"place", py_place, METH_VARARGS, "See _bilevel.pyi."},
    {"turn", py_turn, METH_VARARGS, "See _bilevel.pyi."},
    {"toned", py_toned, METH_VARARGS, "See _bilevel.pyi."},
    {"ground", py_new_ground, METH_VARARGS, "See _bilevel.pyi."},
    {"survey", py_survey_band, METH_VARARGS, "See _bilevel.pyi."},
    {"settle", py_settle_ground, METH_VARARGS, "See _bilevel.pyi."},
    {"bilevel", py_bilevel, METH_VARARGS, "See _bilevel.pyi."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_bilevel", "See _bilevel.pyi.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__bilevel(void)
{
#ifdef __GLIBC__
    /* Planes are reused from page to page: memory given back to the system would be cleared again. */
    mallopt(M_MMAP_THRESHOLD, LARGEST_OCTETS);
    mallopt(M_TRIM_THRESHOLD, KEPT_OCTETS);
#endif
    return PyModuleDef_Init(&definition);
}
