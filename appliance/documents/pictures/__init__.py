"""Pictures as pages.  Runs inside the worker process only.

``source``       pages of pictures, through Pillow; ``tiff``: peculiarities of TIFF; ``heic``: of telephones
``decoded``      a picture on white paper; ``modes`` converts Pillow's; ``stripwise``: too large for memory
``jpeg``         damage that Pillow does not report (``_jpeg``, in C)
``photographs``  photographed pages, found and cropped by ``straighten``
``raw_fax``      files of T.4 and T.6 codes, read by ``fax_codes``
``raster``       printer rasters: PWG, URF
"""
