"""Short explanations of terms, each shown beside what it explains."""

EXPLANATIONS = {
    "classification": (
        "Classification or regression?",
        "**Regression** predicts a number, such as a temperature or a price; a small deviation is a small error. "
        "**Classification** picks one of several classes. The digits have no useful order: a 3 is not “nearly a 4”. The "
        "model therefore gives each digit its own probability and predicts the most probable one.",
    ),
    "normalising": (
        "Why divide by 255?",
        "Pixels are whole numbers from 0 (black) to 255 (white). Dividing by 255 scales them to 0…1, the range that the "
        "default initial weights and learning rates are designed for. One tutorial uses raw pixels: its sigmoid neurons "
        "start saturated, with gradients near zero, and need 100 epochs for what others reach in two.",
    ),
    "confident_learning": (
        "How are label errors found?",
        "**Confident learning** (Northcutt et al., 2021) needs, for each image, probabilities from a model that was not trained "
        "on it: for training images the model of the fold that held it out. For each class $j$ the threshold is the mean "
        "probability of $j$ over images labelled $j$. An image counts as mislabeled if another class reaches its "
        "threshold. Images are ranked by margin: probability of the label minus that of the best other class. "
        "A suspicion is not a proof; look at the image.",
    ),
    "flattening": (
        "What does flattening lose?",
        "A dense layer takes a list, so the 28 rows are joined into one list of 784 numbers: pixel $(r, c)$ becomes number "
        "$28r + c$. No value is lost, but which pixels are **neighbors** is no longer said: one below the other are 28 "
        "places apart. Shuffle all pixels in the same way and a dense network learns just as well. A convolution keeps the "
        "square and uses the neighbors.",
    ),
    "one_hot": (
        "What is one-hot encoding?",
        "The label 3 becomes ten numbers, 0 0 0 1 0 0 0 0 0 0: a one at index 3, zeros elsewhere. The model also outputs "
        "ten numbers, one probability per digit, so the two can be compared element by element. As a plain number, the "
        "label 3 would wrongly imply that predicting 2 is a smaller error than predicting 8.",
    ),
    "softmax": (
        "What are softmax and cross-entropy?",
        "The last layer outputs ten numbers $z_0 … z_9$ (logits). **Softmax** turns them into probabilities:\n\n"
        "$$p_i = \\frac{e^{z_i}}{\\sum_j e^{z_j}}$$\n\n"
        "**Cross-entropy** is the loss that training minimizes: $-\\ln p$ of the correct digit. It is near 0 for a "
        "confident correct prediction, 0.69 at 50 %, and large for a confident error. Guessing, 10 % each, gives 2.30.",
    ),
    "dropout": (
        "What is dropout?",
        "In each training step a random share of a layer's values is set to zero and the rest is scaled up. The network "
        "cannot rely on single neurons, so it overfits less. Nothing is dropped during evaluation, which is why "
        "validation accuracy can exceed training accuracy.",
    ),
    "over_fitting": (
        "What is overfitting?",
        "A network can memorize its training images. Training loss then keeps falling while **validation** loss, measured "
        "on images that it is not trained on, starts to rise. Remedies: stop at the lowest validation loss, use more data, a "
        "smaller network, or dropout. Look for the epoch where the dotted and the solid line diverge.",
    ),
    "smoothing": (
        "What does smoothing do?",
        "Each point becomes a weighted mean of itself and all points before it. With smoothing **strength** $s$, a point "
        "$k$ epochs back has weight $s^k$:\n\n"
        "$$\\bar y_t = \\frac{\\sum_{i \\le t} s^{\\,t-i} y_i}{\\sum_{i \\le t} s^{\\,t-i}}$$\n\n"
        "Dividing by the sum of weights removes the bias of the first points towards zero. A smoothed curve lags behind, "
        "so the original stays visible, and the best epoch is always that of the original.",
    ),
    "band": (
        "What is the band?",
        "Runs that differ only in seed or fold are drawn as their mean; the band shows their spread. **Standard "
        "deviation**: about two thirds of single runs. **Standard error**: the uncertainty of the mean, the standard "
        "deviation divided by $\\sqrt n$. **95 % interval**: a confidence interval of the mean (Student's $t$), wide for few "
        "runs. **Smallest to largest**: all runs. The mean ends where the first run ends.",
    ),
    "optimizers": (
        "Which optimizer?",
        "**SGD** moves each weight by *learning rate × gradient*. **Momentum** adds nine tenths of the previous step. "
        "**RMSprop** divides each step by a running average of that weight's gradient size. **Adam** combines both. Typical "
        "learning rates: 0.001 for RMSprop and Adam, 0.01 to 0.1 for SGD.",
    ),
    "k_fold": (
        "What is k-fold cross-validation?",
        "The training images are split into k equal folds. The network is trained k times, each time with another fold held "
        "out for validation, so that each image is validated once. The mean of the k results depends less on the split "
        "than a single one. With k = 4, each run trains on 45,000 images and validates on 15,000. Choose a number of folds "
        "under Validation: one run is queued per fold.",
    ),
    "test_set": (
        "What is the test set for?",
        "Choosing the best of many settings is itself a form of training on the data used to choose. So there are three "
        "splits. **Training** images update the weights. **Validation** images select settings. **Test** images are used "
        "once, at the end, for the number to report. MNIST's 10,000 test images come from different writers than its "
        "training images.",
    ),
    "interval": (
        "What does ± mean?",
        "The 10,000 test images are a sample of all possible digits; another sample would give a slightly different "
        "accuracy. The 95 % interval (Wilson) contains the true accuracy in 95 of 100 such samples. It is ± 0.4 points at "
        "95 % and ± 0.2 at 99 %, and about three times as wide on the sample's 1,000 test images. Overlapping intervals "
        "do not rule out a difference.",
    ),
    "paired_test": (
        "When is a difference significant?",
        "Both models predict the same test images, so only images that exactly one of them gets right matter. If neither "
        "were better, these would split like coin flips: 30 to 28 is nothing, 50 to 8 hardly chance. **McNemar's test** "
        "(1947) gives *p*, the probability of a split at least this uneven. Below 5 % the difference is called significant. "
        "That does not make it large, and it may not hold with another seed.",
    ),
    "many_tests": (
        "Why is p corrected?",
        "At a 5 % level, one test in twenty finds a difference where there is none, and five models make ten tests. **Holm's "
        "correction** (1979) multiplies the smallest *p* by the number of tests, the next by one less, and so on. The chance "
        "of *any* false positive then stays below 5 %, however many models are compared.",
    ),
    "repeats": (
        "Why repeat a run?",
        "The same network reaches a different accuracy with another seed. Several runs show how much. **Welch's t-test** "
        "(1947) compares two means given that spread, with a confidence interval of the difference. If a difference is "
        "not significant, add seeds: four times as many halve the interval. Folds share most of their training images, so "
        "they vary a little less than independent runs.",
    ),
    "calibration": (
        "What is calibration?",
        "Predictions made with 90 % confidence should be correct nine times in ten. Test images are sorted by the highest "
        "probability into 15 bins; each bin compares mean confidence with accuracy. The **expected calibration error** is "
        "their mean difference, weighted by images (Guo et al., 2017). Points below the diagonal: overconfident. Most "
        "images fall into the last bin, so mind the intervals of the others.",
    ),
    "precision": (
        "Precision, recall, F1?",
        "**Precision**: of all images predicted as 5, the share that are a 5. **Recall**: of all images of a 5, the share "
        "predicted as 5. A model that predicts 5 too often has high recall and low precision. **F1** is their harmonic mean, "
        "$2PR/(P+R)$. With about 1,000 test images per digit, intervals are three times as wide as that of the overall "
        "accuracy.",
    ),
    "augmentation": (
        "What is augmentation?",
        "A shifted, rotated or thicker 7 is still a 7. Augmentation changes each training image at random every time it is "
        "used: shift, rotation, scale, shear, elastic distortion, stroke width, noise. The network never sees the same image "
        "twice, so it overfits less and handles digits from outside MNIST better. Training accuracy is then lower "
        "than validation accuracy, because validation images are not changed. **Handwriting styles** add strokes that few of "
        "MNIST's writers made: an up-stroke or a foot to a 1, a bar to a 7.",
    ),
    "my_digits": (
        "What are My digits for?",
        "They measure accuracy on your own handwriting. Keep thirty or more digits with their correct labels, a few of each "
        "class, **including those that were misclassified**: without them every model looks better than it is. The "
        "table shows each model's accuracy with its 95 % interval. The digits stay with this browser; export them as a file "
        "to use them elsewhere.",
    ),
    "not_a_digit": (
        "How are non-digits detected?",
        "A network always divides 100 % among ten digits, even for a face. So the features of the drawing, taken from the "
        "augmented CNN's second pooling layer, are compared with those of 2,000 typical training images, "
        "some of them augmented. It is flagged if the nearest are farther away than for 99.5 % of such digits. Up to one in a "
        "hundred digits is flagged by mistake, of unlike handwriting more; the best guess is always given.",
    ),
    "redrawing": (
        "How does an image become an MNIST digit?",
        "MNIST's digits were scaled to a 20 × 20 box with their proportions kept, then placed in a 28 × 28 square with the "
        "**center of mass** in the middle. Your image is processed the same way: background brightness is estimated and "
        "removed, ruled lines, printed frames and noise are deleted, and each digit is cropped, brought to MNIST's stroke width, scaled and "
        "centered. The 28 × 28 image is the model's whole input. The augmented CNN also averages its predictions over "
        "versions 15 % and 30 % narrower.",
    ),
    "weights": (
        "What do these images show?",
        "A hidden neuron of a dense network has one weight per pixel, 784 in all, shown here as 28 × 28. Ink on **red** "
        "pixels raises the neuron's value, ink on **blue** pixels lowers it. The border is often noise: those pixels are black in "
        "nearly all images, so their weights hardly change from their random initial values.",
    ),
    "attribution": (
        "What do these maps show?",
        "**Saliency** is the gradient: how fast the difference of two logits grows with each pixel. **Integrated gradients** "
        "(Sundararajan et al., 2017) average the gradient on the way from a black image $x'$ to this one and multiply by the ink:\n\n"
        "$$(x_i - x'_i) \\int_0^1 \\frac{\\partial f(x' + t(x - x'))}{\\partial x_i}\\,dt$$\n\n"
        "They add up to what the whole image contributes. Black pixels contribute nothing, though missing ink "
        "may matter, too: see saliency. A map shows what the network uses, not that it is right.",
    ),
    "kernels": (
        "What is a convolution kernel?",
        "A small window of weights, here 3 × 3, that slides over the image and responds where its pattern occurs. The same "
        "nine weights are used everywhere, so a stroke is detected wherever it is. Kernels of the first layer detect edges; "
        "later layers have one 3 × 3 window per input channel and combine edges into corners and loops.",
    ),
    "batch": (
        "What are epochs and batches?",
        "In one step the network processes a **batch** of images and updates all weights to lower the loss on them. An "
        "**epoch** is one pass over all training images. Small batches mean many noisy steps and more time; large ones mean "
        "few, smooth steps. With 60,000 images and a batch size of 32, an epoch has 1,875 steps.",
    ),
    "robustness": (
        "What is robustness?",
        "Drawn or photographed digits are noisier than MNIST. **MNIST-C** (Mu and Gilmer, 2019) measures accuracy under 15 "
        "corruptions: noise, blur, shear, fog, stripes, … Here each has five severity levels, produced by our own code and "
        "identical for all models; half use the authors' levels, so do not compare with published numbers. **Shift, rotation "
        "and scale** go further, in pixels, degrees and factors, and are not part of the mean. Models are measured on "
        "every fifth test image, 2,000 of 10,000; ± is the resulting uncertainty.",
    ),
}
