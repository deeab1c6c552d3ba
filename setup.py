"""The one compiled part.  Without a C compiler it is left out, and Pillow does its work more slowly."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "appliance.documents._bilevel",
            ["appliance/documents/_bilevel.c"],
            extra_compile_args=["-O3"],
            py_limited_api=True,
            optional=True,
        )
    ]
)
