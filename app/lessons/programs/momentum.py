# title: Momentum against plain SGD
# title-zh: 动量与普通 SGD
# about: A narrow valley: plain SGD zigzags across it, momentum rolls along it.
# about-zh: 狭长的山谷：普通 SGD 来回横跳，动量顺着谷底滚下去。
# order: 82
import torch


def valley(p):
    return 0.5 * (p[0] ** 2 + 100 * p[1] ** 2)


def descend(momentum):
    p = torch.tensor([4.0, 1.0], requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=0.018, momentum=momentum)
    for step in range(40):
        loss = valley(p)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 9:
            print(f"  step {step + 1:2d}  loss {loss.item():.4f}  at ({p[0].item():.3f}, {p[1].item():.3f})")
    return p


print("without momentum")
descend(0.0)
print("with momentum 0.8")
descend(0.8)
