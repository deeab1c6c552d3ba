"""The compiled parts."""

from glob import glob

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "appliance.documents.bilevel._bilevel",
            sorted(glob("appliance/documents/bilevel/c/*.c")),
            depends=sorted(glob("appliance/documents/bilevel/c/*.h")),
            extra_compile_args=["-O3"],
            libraries=["m"],
            py_limited_api=True,
        ),
        Extension(
            "appliance.documents.pictures._jpeg",
            ["appliance/documents/pictures/_jpeg.c"],
            extra_compile_args=["-O3"],
            py_limited_api=True,
        ),
        Extension("appliance.documents._memory", ["appliance/documents/_memory.c"], py_limited_api=True),
        Extension(
            "appliance.t4._mmr",
            sorted(glob("appliance/t4/c/*.c")),
            depends=["appliance/t4/c/mmr.h"],
            extra_compile_args=["-O3"],
            py_limited_api=True,
        ),
    ]
)
