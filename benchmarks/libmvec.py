"""Black's price and Greeks as a C loop, compiled here, whose exp and log are glibc's vectors."""

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.peers import Options
from margincalc.arrays import FloatArray

# The normal distribution is Hart's rational function (1968), as West (2005) writes it.
SOURCE = """
#include <math.h>
static inline double normal(double x, double e) {
    double a = fabs(x);
    double top = 3.52624965998911e-02 * a + 0.700383064443688;
    top = top * a + 6.37396220353165; top = top * a + 33.912866078383;
    top = top * a + 112.079291497871; top = top * a + 221.213596169931;
    top = top * a + 220.206867912376;
    double bottom = 8.83883476483184e-02 * a + 1.75566716318264;
    bottom = bottom * a + 16.064177579207; bottom = bottom * a + 86.7807322029461;
    bottom = bottom * a + 296.564248779674; bottom = bottom * a + 637.333633378831;
    bottom = bottom * a + 793.826512519948; bottom = bottom * a + 440.413735824752;
    double tail = e * top / bottom;
    return x > 0.0 ? 1.0 - tail : tail;
}
void greeks(long n, const double *restrict f, const double *restrict k, const double *restrict v,
            const double *restrict t, const unsigned char *restrict call, double *restrict out) {
    double *restrict price = out, *restrict delta = out + n, *restrict gamma = out + 2 * n,
           *restrict vega = out + 3 * n, *restrict theta = out + 4 * n;
    #pragma omp simd
    for (long i = 0; i < n; i++) {
        double root = sqrt(t[i]), total = v[i] * root;
        double d1 = log(f[i] / k[i]) / total + 0.5 * total, d2 = d1 - total;
        double e1 = exp(-0.5 * d1 * d1), e2 = exp(-0.5 * d2 * d2);
        double n1 = normal(d1, e1), n2 = normal(d2, e2), density = e1 * 0.3989422804014327;
        double put = 1.0 - call[i];
        price[i] = f[i] * (n1 - put) - k[i] * (n2 - put);
        delta[i] = n1 - put;
        gamma[i] = density / (f[i] * total);
        vega[i] = f[i] * density * root;
        theta[i] = -0.5 * f[i] * density * v[i] / root;
    }
}
"""
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp-simd", "-fPIC", "-c")
# Linked without -ffast-math, which would make this whole process flush subnormal numbers to zero.
LINK = ("-shared", "-lm")


def compiled(folder: Path) -> Callable[[Options], FloatArray] | None:
    """Compile the loop, for contiguous columns; None where there is no C compiler."""
    source, part, library = (folder / name for name in ("black.c", "black.o", "black.so"))
    source.write_text(SOURCE)
    try:
        for line in (("cc", *FLAGS, source, "-o", part), ("cc", part, "-o", library, *LINK)):
            subprocess.run(line, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    function = ctypes.CDLL(str(library)).greeks
    function.restype = None
    function.argtypes = [ctypes.c_long, *[ctypes.c_void_p] * 6]

    def greeks(options: Options) -> FloatArray:
        out = np.empty((5, len(options.forward)))
        function(out.shape[1], *(column.ctypes.data for column in (*options, out)))
        return out

    return greeks
