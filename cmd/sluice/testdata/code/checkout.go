package shop

const expressPay = "shop.checkout"

func pay() bool { return on(expressPay) && !on("shop.checkout") && expressPayFor("u-1") }
