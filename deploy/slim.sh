#!/bin/sh
# slim.sh FOLDER: takes out of installed packages what serving never opens: their tests, headers,
# source maps, debug symbols, languages we do not speak, and Arrow's network file systems.
set -eu
cd "$1"
find . -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
find . -type f \( -name '*.map' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.hpp' \) \
    -delete
rm -rf pyarrow/include pyarrow/src plotly/labextension plotly/package_data/plotly.min.js
rm -f pyarrow/libarrow_flight* pyarrow/_flight* pyarrow/libarrow_s3* pyarrow/_s3fs*
rm -f dash/dash-renderer/build/*.dev.js dash/dcc/*.dev.js dash_ag_grid/async-enterprise.js
find babel/locale-data -name '*.dat' ! -name 'pt*' ! -name 'en*' ! -name 'root.dat' -delete
find . -name '*.so' ! -path './*.libs/*' -exec strip --strip-unneeded {} +
find pyarrow -name '*.so.*' -exec strip --strip-unneeded {} +
