"""Whose name is it? Sequences of letters of different lengths, packed, through a bidirectional GRU."""
import argparse
import time

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

parser = argparse.ArgumentParser()
parser.add_argument("--hidden", type=int, default=12)
parser.add_argument("--epochs", type=int, default=3)
args = parser.parse_args()
print(args)

ROWS = [("Novak", "cz"), ("Dvorak", "cz"), ("Sato", "jp"), ("Tanaka", "jp"), ("Li", "cn"), ("Wang", "cn"),
        ("Svoboda", "cz"), ("Ito", "jp"), ("Zhao", "cn"), ("Kim", "kr"), ("Park", "kr"), ("Suzuki", "jp")]


class Names(Dataset):
    def __init__(self, rows):
        self.names = [name for name, _ in rows]
        self.countries = sorted({country for _, country in rows})
        self.labels = [self.countries.index(country) for _, country in rows]

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        return self.names[index], self.labels[index]


def make_tensors(names, labels):
    rows = [torch.LongTensor([ord(c) for c in name]) for name in names]
    lengths, order = torch.LongTensor([len(row) for row in rows]).sort(dim=0, descending=True)
    return pad_sequence(rows)[:, order], lengths, labels[order]


class Classifier(torch.nn.Module):
    def __init__(self, letters, hidden, classes, layers=1, bidirectional=True):
        super(Classifier, self).__init__()
        self.directions = 2 if bidirectional else 1
        self.embedding = torch.nn.Embedding(letters, hidden)
        self.gru = torch.nn.GRU(hidden, hidden, layers, bidirectional=bidirectional)
        self.fc = torch.nn.Linear(hidden * self.directions, classes)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.embedding(x), lengths)
        _, hidden = self.gru(packed)
        last = torch.cat([hidden[-1], hidden[-2]], dim=1) if self.directions == 2 else hidden[-1]
        return self.fc(last)


if __name__ == "__main__":
    torch.manual_seed(7)
    data = Names(ROWS)
    loader = DataLoader(data, batch_size=4, shuffle=True)
    model = Classifier(128, args.hidden, len(data.countries))
    print(model)
    criterion, optimizer = torch.nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=0.02)
    start = time.time()
    for epoch in range(1, args.epochs + 1):
        total, correct = 0.0, 0
        for i, (names, labels) in enumerate(loader, 1):
            x, lengths, target = make_tensors(names, labels)
            output = model(x, lengths)
            loss = criterion(output, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
            correct += output.max(dim=1, keepdim=True)[1].eq(target.view(-1, 1)).sum().item()
        print(f"epoch {epoch}: loss={total / i:.4f} accuracy={correct}/{len(data)} {100 * correct / len(data):.2f}%")
    assert time.time() - start < 60
