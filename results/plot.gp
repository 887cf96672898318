# SPDX-License-Identifier: GPL-3.0-or-later
#
# The figures of results/README.md that are made from committed CSV files: local-elasticity.svg, kare.svg.
# usage: cd results && gnuplot plot.gp
set terminal svg size 440,400 font 'sans-serif,12' background '#ffffff'
set datafile separator comma
set grid linecolor '#d9d9d6'
set border 3
set tics nomirror
set key below maxcols 2 samplen 2

# RR of each of the 45 pairs of classes: column 7 of the kernel's row against that of the NTK.
against(kernel) = "< awk -F, -v k=" . kernel . " '$4 == k { y[$1] = $7 } $4 == \"ntk\" { x[$1] = $7 } END { for (c in y) print x[c] \",\" y[c] }' local-elasticity/pairs45.csv | sort"
set output 'local-elasticity.svg'
set title 'Local elasticity of 45 pairs of CIFAR-10 classes'
set xlabel 'RR of the NTK'
set ylabel 'RR of the kernel'
plot x linecolor '#5c5c5c' dashtype 2 title 'equal', \
    against('trained') using 1:2 with points pointtype 7 pointsize 0.6 linecolor '#c24e00' title 'trained network', \
    against('lantk-hand') using 1:2 with points pointtype 9 pointsize 0.6 linecolor '#008060' title 'label-aware, hand rule', \
    against('lantk-chosen') using 1:2 with points pointtype 5 pointsize 0.5 linecolor '#0072b2' title 'label-aware, chosen'

# Mean over seeds of the test error at each ridge.
of(what) = "< awk -F, '$4 == \"" . what . "\"' kare/cosine-40.csv"
published(what) = "< awk -F, '$1 == 1 && $2 == 0 && $4 == \"" . what . "\"' kare/published.csv"
set output 'kare.svg'
set title 'Cosine simulation, gamma = 1, without noise: 40 seeds'
set xlabel 'ridge'
set ylabel 'test mean square error'
set logscale x
set format x '10^{%L}'
set yrange [0:0.25]
set xrange [1e-5:1e5]
plot of('initial') using 5:8 smooth unique with lines linewidth 1.5 linecolor '#5c5c5c' title 'NTK at initialization', \
    of('after_network') using 5:8 smooth unique with lines linewidth 1.5 linecolor '#c24e00' title 'kernel after training', \
    of('trained') using 5:8 smooth unique with lines linewidth 1.5 linecolor '#0072b2' title 'trained by KARE', \
    published('after_network') using 5:8 with lines dashtype 2 linecolor '#c24e00' title 'after training, published', \
    published('trained') using 5:8 with lines dashtype 2 linecolor '#0072b2' title 'by KARE, published'
