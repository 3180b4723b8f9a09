"""What a learner may want to know, each beside the thing that it explains."""

EXPLANATIONS = {
    "classification": (
        "Classification or regression?",
        "**Regression** predicts a number on a scale: tomorrow's temperature, the price of a flat. Being off by a little "
        "is a little wrong. **Classification** picks one of a few fixed answers. A 3 is not “nearly a 4”: the digits "
        "have no order that matters, so the network gives every digit a probability of its own, and its answer is the "
        "digit with the largest. Both learn in the same way, from examples with known answers; what differs is what "
        "comes out and how being wrong is measured.",
    ),
    "normalising": (
        "Why divide by 255?",
        "A pixel in the file is a whole number from 0 (black) to 255 (white). Dividing by 255 brings all of them to "
        "0…1. The picture stays the same, but the sums inside the network become hundreds of times smaller, and the "
        "starting weights and learning rates that libraries suggest are made for inputs of that size. One tutorial "
        "leaves the pixels raw: its sigmoid neurons start out saturated, at almost exactly 0 or 1, where they hardly "
        "learn, so it needs 100 epochs for what others do in two.",
    ),
    "one_hot": (
        "What is one-hot?",
        "The label 3 is written as ten numbers, 0 0 0 1 0 0 0 0 0 0: a one at the place of the right digit, zeros "
        "elsewhere. The network also gives ten numbers, one probability a digit, so label and answer can be compared "
        "place by place. Had we kept the label as the number 3, the network would be told that reading a 2 is better "
        "than reading an 8, which is not true of digits.",
    ),
    "softmax": (
        "What are softmax and cross-entropy?",
        "The last layer gives ten numbers $z_0 … z_9$ of any size. **Softmax** makes them positive and lets them add up "
        "to one, so they can be read as probabilities:\n\n"
        "$$p_i = \\frac{e^{z_i}}{\\sum_j e^{z_j}}$$\n\n"
        "**Cross-entropy** is the loss that training makes small: $-\\ln p$ of the right digit. Sure and right costs "
        "almost nothing; 50 % costs 0.69; being sure of the wrong digit costs a lot. Guessing blindly, 10 % each, costs "
        "2.30: if a curve starts there, the network knows nothing yet.",
    ),
    "dropout": (
        "What is dropout?",
        "In every training step a random part of a layer's values is set to zero; the rest is scaled up to make good for "
        "it. No neuron can rely on one particular neighbour, so the network learns many overlapping hints instead of a few "
        "fragile ones, and over-fits less. When the network is tested nothing is dropped. That is why a network with "
        "dropout can have a better accuracy in validation than in training: it was trained with a handicap.",
    ),
    "over_fitting": (
        "What is over-fitting?",
        "A network can learn its training pictures by heart, smudges and all. Its training loss then goes on falling "
        "while the loss on pictures that it does not learn from, the **validation** loss, stops falling and turns up. "
        "From there on it gets better at remembering, not at reading. Remedies: stop at the lowest validation loss, use "
        "more pictures, a smaller network, or dropout. Look for the place where the dotted and the solid line part.",
    ),
    "smoothing": (
        "What does smoothing do?",
        "A line that jumps from epoch to epoch hides where it is going. Smoothing puts in place of each point the mean of "
        "it and all points before it, where each weighs less the farther back it is: the **strength** $s$ to the power of "
        "its distance, 1 for neighbours. Thus\n\n"
        "$$\\bar y_t = \\frac{\\sum_{i \\le t} s^{\\,t-i} y_i}{\\sum_{i \\le t} s^{\\,t-i}}$$\n\n"
        "Dividing by the sum of the weights keeps the first points from being drawn towards zero. A smoothed line comes "
        "late: it turns some epochs after the real one. So the real one stays behind it, faint, and the best epoch is "
        "always that of the real one.",
    ),
    "band": (
        "What is the band?",
        "Runs that differ only in their seed or fold differ by chance. Their mean is drawn as one line, and the band around it "
        "says how far they spread. **Standard deviation**: where about two thirds of single runs are. **Standard error**: "
        "how far the mean itself is likely to be off, the standard deviation divided by $\\sqrt n$. **95 % interval**: 95 of "
        "100 such intervals hold the true mean; with few runs it is wide (Student's $t$). **Smallest to largest**: all runs. "
        "The mean ends where the first of them ends, as the mean of the rest would jump.",
    ),
    "optimizers": (
        "Which optimizer?",
        "The gradient says for every weight which way is downhill. **SGD** takes a step of *learning rate × gradient*. With "
        "**momentum** each step keeps nine tenths of the one before, so it rolls through small bumps. **RMSprop** divides "
        "every weight's step by the usual size of its own gradient, so that rarely used weights learn as fast as busy ones. "
        "**Adam** does both. A learning rate that suits one does not suit another: 0.001 is usual for RMSprop and Adam, "
        "0.01 to 0.1 for SGD.",
    ),
    "k_fold": (
        "What is k-fold cross-validation?",
        "The training pictures are cut into k equal parts. The network is trained k times, each time with another part "
        "kept back for validation, so that each picture validates once. The mean of the k results depends less on which "
        "pictures happened to be kept back, and their spread says how much it did. With k = 4 each training uses 45,000 "
        "pictures and validates on 15,000. Choose a number of folds under Validation: one run is queued for each.",
    ),
    "test_set": (
        "What is the test set for?",
        "Whoever tries many settings and keeps the best has, in a way, trained on whatever they looked at while choosing. "
        "So there are three parts. **Training** pictures change the weights. **Validation** pictures help to choose: "
        "epochs, batch size, network. **Test** pictures are used once, when everything has been decided, and give the "
        "number to report. MNIST's 10,000 test pictures were written by other people than those who wrote its training "
        "pictures.",
    ),
    "interval": (
        "What does ± mean?",
        "10,000 test pictures are a sample of all digits that people could write; with another 10,000 the accuracy would "
        "have come out a little different. The 95 % interval (Wilson's) is drawn so that 95 of 100 such intervals hold the "
        "network's true accuracy. It is ± 0.4 points at 95 % and ± 0.2 at 99 %, and about three times as wide on the "
        "sample's 1,000 test pictures. Two networks whose intervals overlap may still differ, or not.",
    ),
    "paired_test": (
        "When is a difference real?",
        "Both networks read the same test pictures, so only those count that one of them reads right and the other "
        "wrong. If neither were better, each such picture would fall to either side like a coin: 30 to 28 is nothing, "
        "50 to 8 hardly chance. **McNemar's test** (1947) works out how often fair coins would fall at least as unevenly; "
        "that is *p*. Below 5 % we call the difference real. It says that one is better on pictures like these, not "
        "that it is much better, and not that it would be after training again with another seed.",
    ),
    "many_tests": (
        "Why is p corrected?",
        "With a 5 % limit, one test in twenty finds a difference where there is none. Compare five networks and you "
        "make ten tests: some are likely to be wrong. **Holm's correction** (1979) multiplies the smallest *p* by the number "
        "of tests, the next by one fewer, and so on. The chance that *any* of the differences called real is none then "
        "stays below 5 %, however many networks are chosen.",
    ),
    "repeats": (
        "What do repeats tell?",
        "Trained again with another seed, the same network reaches another accuracy. One run of each says little about "
        "which *recipe* is better; several runs show how far seeds scatter. **Welch's t-test** (1947) compares the two "
        "means with that scatter, and its interval says how large the difference may be. If nothing is shown, more "
        "seeds make the means sharper: four times as many halve the interval. Folds share most of their training "
        "pictures, so their scatter is a little smaller than that of independent runs.",
    ),
    "calibration": (
        "What is calibration?",
        "A network that is 90 % sure should be right nine times in ten. The test pictures are sorted by its highest "
        "probability into 15 bins; in each, the mean probability is compared with the share read right. The **expected "
        "calibration error** is the mean distance of the two, weighted by pictures (Guo and others, 2017). Points below "
        "the diagonal: surer than it should be. Most test pictures lie in the last bin, so look at the intervals "
        "before you believe a point further left.",
    ),
    "precision": (
        "Precision, recall, F1?",
        "Of all pictures read as a 5, how many are one? That is **precision**. Of all pictures of a 5, how many were read "
        "as one? That is **recall**. A network that says 5 too easily has a high recall and a low precision. **F1** is "
        "the harmonic mean of both, $2PR/(P+R)$: high only if both are. With about 1,000 test pictures of each digit the "
        "intervals are three times as wide as that of the whole accuracy.",
    ),
    "augmentation": (
        "What is augmentation?",
        "A shifted, turned or thicker 7 is still a 7, but a network that has only seen 60,000 tidy digits cannot know. So "
        "each picture is changed a little, at random and anew, every time it is shown: shifted, turned, scaled, sheared, bent, "
        "its strokes thickened or thinned, with some noise. The network never sees the same picture twice, cannot learn them "
        "by heart, and reads digits from outside MNIST better. Training accuracy is then lower than validation accuracy, as "
        "validation pictures stay as they are.",
    ),
    "my_digits": (
        "What are My digits for?",
        "A test on other people's handwriting says little about yours. Keep thirty or more digits, a few of each kind, "
        "each with the right answer, **also those that were read wrong**: leave those out and every network looks better "
        "than it is. The table then shows each network's accuracy on your own hand, with the 95 % interval that so few "
        "pictures allow. The digits stay with this browser; take them away as a file to use them elsewhere, and load that "
        "file again.",
    ),
    "not_a_digit": (
        "How can it tell that something is no digit?",
        "A network always divides 100 % among ten digits, also for a face. So the drawing is compared with MNIST's "
        "training pictures, in what the second pooling layer of the augmented CNN says of them: which strokes and joints "
        "are where. If even the nearest of 2,500 typical pictures is farther away than for 99.4 % of real digits, it is "
        "refused. That is no proof: up to one of a hundred real digits is refused by mistake, and drawings of closed shapes, "
        "such as a square, often pass for a 0.",
    ),
    "redrawing": (
        "How is a drawing made into an MNIST digit?",
        "MNIST's makers scaled every digit to fit a 20 × 20 box, kept its proportions, and placed it in a 28 × 28 square "
        "so that its **centre of mass** was in the middle. A network trained on such pictures has never seen a small digit "
        "in a corner, and reads one badly. So your picture is treated the same way: the paper's brightness is estimated "
        "everywhere, ink is what differs from it, ruled lines and dirt are left out, and each digit is cropped, its strokes "
        "are brought to MNIST's width, and it is scaled and centred by its mass. The small picture is all that the "
        "networks get; the augmented CNN also looks at it 15 % and 30 % narrower and takes the mean.",
    ),
    "weights": (
        "What do these pictures show?",
        "A hidden neuron of a dense network has one weight for each of the 784 pixels. Laid out as 28 × 28 they show what "
        "the neuron looks for: ink where it is **red** raises its value, ink where it is **blue** lowers it, and white "
        "places do not matter. The border is often noise: those pixels are black in nearly all pictures, so their weights "
        "hardly change from their random start.",
    ),
    "kernels": (
        "What is a convolution's kernel?",
        "A kernel is a small window of weights, here 3 × 3, that slides over the whole picture and answers at each place "
        "how well what it sees there fits. The same nine weights serve all places, so a stroke is recognised wherever it "
        "is. Kernels of the first layer find edges in some direction; those of later layers have one 3 × 3 window for "
        "every channel of the layer before, and combine edges into corners, bows and loops.",
    ),
    "batch": (
        "What are epochs and batches?",
        "The network looks at a **batch** of pictures, finds out how each weight should change to lower the loss on them, "
        "and changes all weights a little. That is one step. When it has seen all training pictures once, that is one "
        "**epoch**. Small batches mean many small, noisy steps and more time; large ones mean few, smooth steps. With "
        "60,000 pictures and batches of 32 an epoch has 1,875 steps.",
    ),
    "robustness": (
        "What is robustness?",
        "Test pictures are as tidy as training pictures; what people draw or photograph is not. **MNIST-C** (Mu and Gilmer "
        "2019) asks how well a network reads digits after one of 15 corruptions: noise, blur, slant, fog, stripes, … each of "
        "which leaves them readable for people. Here each comes at five strengths, made by our own code, the same for all "
        "networks; half of them use the authors' own strengths, so numbers are not to be compared with published ones. "
        "**Shift, turn and size** go further, in pixels, degrees and factors, and do not count for the mean. A network is "
        "measured on every fifth test picture, 2,000 of 10,000; the ± says what another 2,000 might have given.",
    ),
}
