"""Dense 512: 512 hidden neurons with ReLU, pixels from 0 to 1, RMSprop."""

import keras
import numpy as np

keras.utils.set_random_seed(0)

# 60,000 pictures to learn from and 10,000 to test: 28 x 28 pixels from 0 (black) to 255 (white).
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()

# The shape that the first layer expects; pixels from 0 to 1.
x_train = x_train.reshape(-1, 784).astype("float32") / 255
x_test = x_test.reshape(-1, 784).astype("float32") / 255

# One-hot labels: 3 becomes [0, 0, 0, 1, 0, 0, 0, 0, 0, 0].
y_train = keras.utils.to_categorical(y_train, 10)
y_test = keras.utils.to_categorical(y_test, 10)

model = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(units=512, activation="relu"),
        keras.layers.Dense(units=10, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=0.001),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
model.summary()

model.fit(
    x_train,
    y_train,
    epochs=5,
    batch_size=128,
)

# The test pictures are used once, at the end.
test_loss, test_accuracy = model.evaluate(x_test, y_test)
print(f"test loss {test_loss:.4f}, test accuracy {test_accuracy:.4f}")
