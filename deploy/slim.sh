#!/bin/sh
# slim.sh FOLDER: takes out of installed packages what serving never opens: their tests, headers,
# source maps, debug symbols, languages we do not speak, Arrow's network file systems, and of SciPy all
# but what optimisation stands on.
set -eu
cd "$1"
find . -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
find . -type f \( -name '*.map' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.pyi' \
    -o -name '*.h' -o -name '*.hpp' -o -name '*.a' -o -name '*.po' \) -delete
rm -rf pyarrow/include pyarrow/src plotly/labextension plotly/package_data/plotly.min.js \
    plotly/package_data/widgetbundle.js plotly/graph_objs/_figurewidget.py
for part in flight s3 python_flight; do rm -f "pyarrow/libarrow_$part"*; done
for part in flight s3fs gcsfs azurefs hdfs substrait orc dataset_orc pyarrow_cpp_tests; do
    rm -f "pyarrow/_$part".*
done
for name in pyarrow/libarrow_python.so pyarrow/libarrow_python_parquet_encryption.so; do
    rm -f "$name" "$name".*.*.*  # what is linked to is the one between
done
for part in cluster datasets differentiate fftpack integrate interpolate io misc ndimage odr signal \
    stats; do
    rm -rf "scipy/$part"
done
rm -rf numpy/distutils numpy/_core/_simd.* sqlalchemy/testing alembic/testing
rm -rf setuptools pkg_resources _distutils_hack setuptools-* distutils-precedence.pth
rm -f PIL/_avif.* pillow.libs/libavif-*
rm -f dash/dash-renderer/build/*.dev.js dash/dcc/*.dev.js dash_svg/*.dev.js dash_ag_grid/async-enterprise.js
rm -f dash/dash_table/commons.js dash/dash_table/demo.js dash/dash_table/*_test*.js
find dash/deps -name '*.js' ! -name '*.min.js' -delete
find dash dash_svg dash_extensions dash_leaflet dash_ag_grid dash_bootstrap_components \
    -name metadata.json -delete
find babel/locale-data -name '*.dat' ! -name 'pt*' ! -name 'en*' ! -name 'root.dat' -delete
find holidays/locale -mindepth 1 -maxdepth 1 -type d ! -name 'pt*' ! -name 'en*' -exec rm -rf {} +
for shared in numpy.libs/libgfortran-*; do
    twin="scipy.libs/${shared#*/}"
    if [ -f "$twin" ] && cmp -s "$shared" "$twin"; then ln -sf "../$shared" "$twin"; fi
done
find . -name '*.so' ! -path './*.libs/*' -exec strip --strip-unneeded {} +
find pyarrow -name '*.so.*' -exec strip --strip-unneeded {} +
