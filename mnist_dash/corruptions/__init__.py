"""Pictures made harder to read: the 15 kinds of MNIST-C at five strengths, and shifts, turns and sizes.

The code is ours, after the paper's descriptions. MNIST-C corrupts each kind at one
strength. Where its authors publish five, these are theirs: shot and impulse noise, shear
(as the sine of their angle), scale, rotate, brightness and translate. For glass and motion
blur, fog, spatter, stripe, dotted line, zigzag and Canny edges the five are ours, spread
around MNIST-C's own, which `KINDS` marks. Pixels of glass blur are drawn from
near by instead of swapped, motion is in one of 13 directions, and fog is made of
bilinear clouds instead of diamonds and squares.

Source:
    Mu and Gilmer 2019, "MNIST-C: a robustness benchmark for computer vision";
    Hendrycks and Dietterich 2019, "Benchmarking neural network robustness to common
    corruptions and perturbations", whose strengths it took over.
"""
