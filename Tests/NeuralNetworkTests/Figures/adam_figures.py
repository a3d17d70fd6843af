"""Works out, in float64 with NumPy and independently of the Swift code, the figures pasted in IndependentFiguresTests.swift.

A network 2 -> 3 relu -> 2 sigmoid, mean squared error, Adam 0.01 in Keras's form (epsilon 1e-7 beside the uncorrected root),
three steps on the same batch of four rows. Run: python3 adam_figures.py
"""
import numpy as np

W1 = np.array([[0.5, -0.3, 0.8], [0.1, 0.9, -0.6]])
b1 = np.array([0.05, -0.1, 0.2])
W2 = np.array([[0.7, -0.4], [-0.2, 0.6], [0.3, 0.5]])
b2 = np.array([0.1, -0.05])
X = np.array([[0.2, 0.4], [1.0, -0.5], [0.6, 0.9], [-0.3, 0.7]])
T = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.25], [0.2, 0.8]])
P = [W1, b1, W2, b2]
m = [np.zeros_like(p) for p in P]
v = [np.zeros_like(p) for p in P]


def show(name, values):
    print(name, "=", ", ".join(f"{x:.9g}" for x in np.concatenate([np.ravel(a) for a in values])))


def step(t):
    Z1 = X @ P[0] + P[1]
    H = np.maximum(Z1, 0)
    Y = 1 / (1 + np.exp(-(H @ P[2] + P[3])))
    D = 2 * (Y - T) / T.size * Y * (1 - Y)
    G2, g2 = H.T @ D, D.sum(0)
    D1 = (D @ P[2].T) * (Z1 > 0)
    grads = [X.T @ D1, D1.sum(0), G2, g2]
    if t == 1:
        show("outputs", [Y])
        show("loss", [np.mean((Y - T) ** 2)])
        show("gradient", grads)
    rate = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    for i, g in enumerate(grads):
        m[i] = 0.9 * m[i] + 0.1 * g
        v[i] = 0.999 * v[i] + 0.001 * g * g
        P[i] = P[i] - rate * m[i] / (np.sqrt(v[i]) + 1e-7)
    show(f"parameters after {t}", P)


for t in (1, 2, 3):
    step(t)
