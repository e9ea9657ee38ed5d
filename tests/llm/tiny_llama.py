"""A language model small enough to be made in a test. It has learnt that answers are short JSON
with made-up labels, and nothing else."""

from pathlib import Path

TEXT = (
    "the camera of this phone is great but its battery lasts half a day and the screen is too "
    "dark label text labels entities links id null general warranty Pixel Galaxy Xperia 1 2 3"
)
WORDS = TEXT.split()
TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
ANSWERS = [
    '{"entities": []}',
    '{"entities": [{"text": "Pixel", "label": "THING"}]}',
    '{"label": "THING"}',
    '{"labels": []}',
    '{"labels": ["THING"]}',
    '{"labels": ["THING", "OTHER"]}',
    '{"links": [{"text": "Galaxy", "id": null}]}',
]
SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]


def save_tiny_llama(
    folder: Path, *, template: str = TEMPLATE, positions: int = 4096, prefix_space: bool = False
) -> Path:
    """Write a model as `save_pretrained` does. RETURNS: The folder."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet)
    bpe.train_from_iterator([TEXT] * 3, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|end|>", pad_token="<|pad|>"
    )
    tokenizer.chat_template = template or None
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer) + 8,  # as many real ones: wider than the tokenizer
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=positions,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    train(model, tokenizer)
    model.save_pretrained(folder)
    return folder


def train(model, tokenizer, *, steps: int = 60) -> None:
    """Teach the model to answer in short JSON, for it to come to an end."""
    import torch

    texts = [f"<|user|>{word}<|end|><|assistant|>{a}<|end|>" for word in WORDS for a in ANSWERS]
    batch = tokenizer(texts, padding=True, padding_side="right", return_tensors="pt")
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        rows = torch.randperm(len(texts), generator=generator)[:16]
        picked = {name: values[rows] for name, values in batch.items() if name != "token_type_ids"}
        model(**picked, labels=labels[rows]).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
